"""Looking at jobs and reading results, also while they run."""

import json
import uuid
from dataclasses import replace

import pytest

from api.jobs.schemas import AddedImages
from api.results.schemas import ResultPage
from shared.contracts.manifest import ReviewReason
from shared.contracts.states import ImageStatus
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.conftest import MANIFEST, Api, assert_problem

NOWHERE = dict.fromkeys(("latitude", "longitude", "altitude", "heading", "captured_at", "source")) | {
    "fault": "not_read"
}


def test_a_job_is_not_sent_again_while_nothing_changed(api: Api, committed: str) -> None:
    first = api.get(f"/v1/jobs/{committed}")
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    for given in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        again = api.get(f"/v1/jobs/{committed}", headers={"If-None-Match": given})
        assert (again.status, again.data) == (304, b"")
        assert again.headers["ETag"] == tag
        assert int(again.headers["Retry-After"]) >= 1


def test_every_step_of_a_job_changes_its_etag(api: Api, hands: Hands) -> None:
    job_id = api.new_job()
    tags: list[str] = []

    def state() -> str:
        answer = api.get(f"/v1/jobs/{job_id}", headers={"If-None-Match": tags[-1] if tags else '"none"'})
        assert answer.status == 200
        tags.append(answer.headers["ETag"])
        return str(answer.json()["state"])

    assert state() == "draft"
    api.add(job_id, "1", "2", "3")
    assert state() == "draft"
    api.commit(job_id)
    assert state() == "validating"
    hands.step(job_id)
    assert state() == "queued"
    held = hands.claim_of(job_id)
    assert state() == "running"
    hands.finish(held, rust)
    assert state() == "running"
    hands.step(job_id)
    assert state() == "completed"
    assert len(set(tags)) == 7


def test_retry_after_is_said_until_the_job_is_over(api: Api, committed: str, hands: Hands) -> None:
    assert int(api.get(f"/v1/jobs/{committed}").headers["Retry-After"]) >= 1
    hands.run(committed)
    answer = api.get(f"/v1/jobs/{committed}")
    assert "Retry-After" not in answer.headers
    assert answer.json()["finished_at"]


def test_counts_add_up_at_every_step(api: Api, committed: str, hands: Hands) -> None:
    for _ in range(4):
        counts = api.get(f"/v1/jobs/{committed}").json()["counts"]
        assert counts["total"] == 5 == sum(counts[name] for name in counts if name != "total")
        hands.step(committed, lambda seq: truncated(seq) if seq == 2 else rust(seq))
    job = api.get(f"/v1/jobs/{committed}").json()
    assert job["state"] == "completed_with_errors"
    assert (job["counts"]["succeeded"], job["counts"]["failed"]) == (4, 1)


def test_jobs_are_listed_newest_first_in_pages(api: Api) -> None:
    made = [api.new_job() for _ in range(5)]
    seen: list[str] = []
    path = "/v1/jobs?limit=2"
    while True:
        page = api.get(path).json()
        seen += [job["id"] for job in page["jobs"]]
        if not page["has_more"]:
            break
        path = f"/v1/jobs?limit=2&after={page['after']}"
    assert seen == made[::-1]


def test_jobs_are_listed_by_state(api: Api, committed: str) -> None:
    draft = api.new_job()
    for state, expected in (("draft", [draft]), ("validating", [committed]), ("failed", [])):
        assert [job["id"] for job in api.get(f"/v1/jobs?state={state}").json()["jobs"]] == expected


def test_an_empty_page_hands_the_cursor_back(api: Api) -> None:
    assert api.get("/v1/jobs").json() == {"jobs": [], "after": None, "has_more": False}
    cursor = str(uuid.UUID(int=0))
    assert api.get(f"/v1/jobs?after={cursor}").json() == {"jobs": [], "after": cursor, "has_more": False}


@pytest.mark.parametrize("query", ["after=nonsense", "limit=0", "limit=1001", "limit=x", "state=done"])
def test_a_list_asked_wrongly_is_refused(api: Api, query: str) -> None:
    problem = assert_problem(api.get(f"/v1/jobs?{query}"), 422, "invalid-request")
    assert problem["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize(
    "query", ["after=nonsense", "after=-1", f"after={2**63}", "limit=0", "status=pending", "label=%00", "label="]
)
def test_results_asked_wrongly_are_refused(api: Api, drafted: str, query: str) -> None:
    assert_problem(api.get(f"/v1/jobs/{drafted}/results?{query}"), 422, "invalid-request")


def test_a_result_says_everything(api: Api, hands: Hands) -> None:
    job_id = api.new_job()
    image = {"name": "good.jpg", "size": 1, "metadata": {"row": 3}}
    api.post(f"/v1/jobs/{job_id}/images", {"images": [image, {"name": "bad.jpg", "size": 2}]})
    api.commit(job_id)
    hands.run(job_id, lambda seq: truncated(seq) if seq == 2 else rust(seq))
    page = api.get(f"/v1/jobs/{job_id}/results").json()
    good, bad = page["results"]
    assert good.pop("finished_at")
    assert good == {
        "seq": 1,
        "name": "good.jpg",
        "status": "succeeded",
        "label": "rust",
        "label_names": {"en": "rust"},
        "confidence": 0.9,
        "probabilities": {"healthy": 0.04, "powdery_mildew": 0.06, "rust": 0.9},
        "top": [
            {"label": "rust", "probability": 0.9},
            {"label": "powdery_mildew", "probability": 0.06},
            {"label": "healthy", "probability": 0.04},
        ],
        "needs_review": False,
        "review_reason": None,
        "crop": None,
        "tiles": None,
        "explanation": None,
        "error": None,
        "classifier": {"name": "leaf-test", "version": "1"},
        "provenance": {
            "sha256": MANIFEST.sha256,
            "runtime": "numpy 2",
            "preprocessing": MANIFEST.preprocessing_id,
        },
        "metadata": {"row": 3},
        "place": NOWHERE,
        "correction": None,
    }
    assert bad.pop("finished_at")
    assert bad == {
        "seq": 2,
        "name": "bad.jpg",
        "status": "failed",
        "label": None,
        "label_names": None,
        "confidence": None,
        "probabilities": None,
        "top": [],
        "needs_review": None,
        "review_reason": None,
        "crop": None,
        "tiles": None,
        "explanation": None,
        "error": {"code": "truncated", "detail": "the file ends in the middle of the picture"},
        "classifier": None,
        "provenance": None,
        "metadata": {},
        "place": NOWHERE,
        "correction": None,
    }
    assert page["has_more"] is False
    assert page["job"]["state"] == "completed_with_errors"
    assert page["job"]["counts"]["failed"] == 1


def test_a_reader_with_a_cursor_reads_everything_once_while_the_job_runs(
    api: Api, committed: str, hands: Hands
) -> None:
    seen: list[int] = []
    after = "0"
    steps = 0
    while True:
        page = api.get(f"/v1/jobs/{committed}/results?limit=1&after={after}").json()
        seen += [result["seq"] for result in page["results"]]
        after = page["after"]
        if page["has_more"]:
            continue
        if page["job"]["state"] == "completed":
            break
        hands.step(committed)
        steps += 1
    assert steps == 4
    assert sorted(seen) == [1, 2, 3, 4, 5]


def test_results_can_be_filtered(api: Api, committed: str, hands: Hands) -> None:
    hands.run(committed, lambda seq: truncated(seq) if seq % 2 else rust(seq))

    def seqs(query: str) -> list[int]:
        return [result["seq"] for result in api.get(f"/v1/jobs/{committed}/results?{query}").json()["results"]]

    assert seqs("") == [1, 2, 3, 4, 5]
    assert seqs("status=failed") == [1, 3, 5]
    assert seqs("status=succeeded") == seqs("label=rust") == [2, 4]
    assert seqs("label=healthy") == seqs("status=rejected") == seqs("status=failed&label=rust") == []
    assert seqs("status=failed&limit=1&after=1") == [3]


def test_a_draft_has_no_results(api: Api, drafted: str) -> None:
    page = api.get(f"/v1/jobs/{drafted}/results").json()
    assert page["results"] == []
    assert (page["after"], page["has_more"], page["job"]["state"]) == ("0", False, "draft")


def test_images_of_a_canceled_draft_have_results_without_a_classifier(api: Api, drafted: str) -> None:
    api.post(f"/v1/jobs/{drafted}/cancel")
    results = api.get(f"/v1/jobs/{drafted}/results").json()["results"]
    assert {result["status"] for result in results} == {ImageStatus.CANCELED}
    assert len(results) == 5


def test_classifiers_say_what_their_answers_mean(api: Api) -> None:
    (leaf,) = api.get("/v1/classifiers").json()["classifiers"]
    assert (leaf["name"], leaf["version"], leaf["default"]) == ("leaf-test", "1", True)
    assert [c["id"] for c in leaf["classes"]] == ["healthy", "powdery_mildew", "rust"]
    assert leaf["classes"][1] == {"id": "powdery_mildew", "names": {"en": "powdery mildew"}, "eppo_code": None}
    assert leaf["input_size"] == [128, 128]
    assert set(leaf) == {
        "name", "version", "default", "description", "sha256", "classes", "input_size", "review_threshold", "metrics",
        "tiling", "outputs", "crops",
    }  # fmt: skip
    assert (leaf["tiling"], leaf["outputs"], leaf["crops"]) == (None, None, [])


def test_the_older_name_of_classifiers_answers_as_before(api: Api) -> None:
    assert api.get("/v1/models").json() == {"models": api.get("/v1/classifiers").json()["classifiers"]}


@pytest.mark.parametrize("reason", list(ReviewReason))
def test_a_result_says_why_a_person_should_look(api: Api, hands: Hands, reason: ReviewReason) -> None:
    job_id = api.new_job()
    api.add(job_id, "odd.jpg")
    api.commit(job_id)
    hands.run(job_id, lambda seq: replace(rust(seq), needs_review=True, review_reason=reason))
    (result,) = api.get(f"/v1/jobs/{job_id}/results").json()["results"]
    assert (result["label"], result["needs_review"], result["review_reason"]) == ("rust", True, reason)


def test_what_is_sent_fits_what_is_documented(api: Api, committed: str, hands: Hands) -> None:
    """Nothing checks it on its way out."""
    hands.run(committed, lambda seq: truncated(seq) if seq == 2 else rust(seq))
    results = api.get(f"/v1/jobs/{committed}/results").data
    assert json.loads(ResultPage.model_validate_json(results).model_dump_json()) == json.loads(results)
    images = {"images": [{"name": "1.jpg", "size": 4, "sha256": "ab" * 32}, {"name": "2.jpg", "size": 0}]}
    added = api.post(f"/v1/jobs/{api.new_job()}/images", images).data
    assert json.loads(AddedImages.model_validate_json(added).model_dump_json()) == json.loads(added)
