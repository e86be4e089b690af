"""Two persons who look at one photograph: the latest word of each stands, and the latest of those counts."""

import json
from typing import Any

import pytest

from tests.integration.api.conftest import Hands, rust
from tests.integration.conftest import Api, assert_problem


@pytest.fixture
def done(hands: Hands, committed: str) -> str:
    """A job of five images of rust."""
    hands.run(committed, rust)
    return committed


def says(api: Api, job_id: str, person: str, label: str, seq: int = 1) -> None:
    body = {"label": label, "corrected_by": person}
    assert api.request("PUT", f"/v1/jobs/{job_id}/images/{seq}/correction", json=body).status == 200


def takes_back(api: Api, job_id: str, person: str | None = None, seq: int = 1) -> None:
    query = "" if person is None else f"?corrected_by={person}"
    assert api.request("DELETE", f"/v1/jobs/{job_id}/images/{seq}/correction{query}").status == 204


def listed(api: Api, job_id: str, query: str = "") -> list[dict[str, Any]]:
    return list(api.get(f"/v1/jobs/{job_id}/corrections{query}").json()["corrections"])


def counts(api: Api, job_id: str, seq: int = 1) -> tuple[str, str] | None:
    """Label and person of the one that counts, as everybody who reads corrections sees it."""
    of_list = {one["seq"]: (one["label"], one["corrected_by"]) for one in listed(api, job_id)}.get(seq)
    results = {one["seq"]: one["correction"] for one in api.get(f"/v1/jobs/{job_id}/results").json()["results"]}
    shown = results[seq]
    assert (None if shown is None else (shown["label"], shown["corrected_by"])) == of_list
    exported = [json.loads(line) for line in api.get(f"/v1/jobs/{job_id}/export?format=ndjson").data.splitlines()]
    assert [row["corrected_label"] for row in exported if row["seq"] == seq] == [of_list and of_list[0]]
    summary = api.get(f"/v1/jobs/{job_id}/summary").json()
    assert summary["overall"]["corrected"] == len(listed(api, job_id))
    return of_list


def test_of_two_who_disagree_the_latest_counts_and_taking_back_brings_the_other_again(api: Api, done: str) -> None:
    says(api, done, "Ana", "healthy")
    says(api, done, "Ben", "powdery_mildew")
    assert counts(api, done) == ("powdery_mildew", "Ben")
    takes_back(api, done, "Ben")
    assert counts(api, done) == ("healthy", "Ana")
    says(api, done, "Ben", "rust")
    says(api, done, "Ana", "healthy")
    assert counts(api, done) == ("healthy", "Ana"), "who says it again, says it now"
    takes_back(api, done, "Ana")
    assert counts(api, done) == ("rust", "Ben")
    takes_back(api, done, "Ben")
    assert counts(api, done) is None


def test_without_a_person_everybodys_is_taken_back(api: Api, done: str) -> None:
    says(api, done, "Ana", "healthy")
    says(api, done, "Ben", "rust")
    takes_back(api, done)
    assert counts(api, done) is None
    takes_back(api, done)
    history = [(one["corrected_by"], one["label"]) for one in listed(api, done, "?history=true")]
    assert history[:2] == [("Ana", "healthy"), ("Ben", "rust")]
    assert sorted(history[2:]) == [("Ana", None), ("Ben", None)], "taking back is a row of each, and only once"


def test_a_person_who_said_nothing_takes_nothing_back(api: Api, done: str) -> None:
    says(api, done, "Ana", "healthy")
    etag = api.get(f"/v1/jobs/{done}").headers["ETag"]
    takes_back(api, done, "Ben")
    assert counts(api, done) == ("healthy", "Ana")
    assert api.get(f"/v1/jobs/{done}").headers["ETag"] == etag
    assert_problem(api.request("DELETE", f"/v1/jobs/{done}/images/1/correction?corrected_by="), 422, "invalid-request")


def test_the_history_has_every_word_and_says_which_counts(api: Api, done: str) -> None:
    says(api, done, "Ana", "healthy", seq=2)
    says(api, done, "Ana", "healthy")
    says(api, done, "Ben", "rust")
    says(api, done, "Ben", "rust")
    takes_back(api, done, "Ben")
    whole = [(o["seq"], o["corrected_by"], o["label"], o["valid"]) for o in listed(api, done, "?history=true")]
    assert whole == [
        (1, "Ana", "healthy", True),
        (1, "Ben", "rust", False),
        (1, "Ben", None, False),
        (2, "Ana", "healthy", True),
    ]
    assert [one["seq"] for one in listed(api, done, "?history=true&seq=2")] == [2]
    seen, after = [], "-1"
    while True:
        page = api.get(f"/v1/jobs/{done}/corrections?history=true&limit=1&after={after}").json()
        seen += [(o["seq"], o["corrected_by"], o["label"], o["valid"]) for o in page["corrections"]]
        after = page["after"]
        if not page["has_more"]:
            break
    assert seen == whole


@pytest.mark.parametrize("after", ["-2", "x", "1.", "1.2.3.4", "1.-2", "99999999999", ""])
def test_a_cursor_that_is_none_is_refused(api: Api, done: str, after: str) -> None:
    assert_problem(api.get(f"/v1/jobs/{done}/corrections?after={after}"), 422, "invalid-request")


def test_a_table_may_hold_what_two_persons_say(api: Api, done: str) -> None:
    table = b"seq,label,corrected_by\n1,healthy,Ana\n1,rust,Ben\n2,rust,Ana\n"

    def send(body: bytes) -> Any:  # noqa: ANN401  # an answer
        return api.request("POST", f"/v1/jobs/{done}/corrections", body=body, headers={"Content-Type": "text/csv"})

    assert send(table).json() == {"corrections": 3, "changed": 3}
    assert counts(api, done) == ("rust", "Ben"), "the later line"
    send(table)
    assert counts(api, done) == ("rust", "Ben"), "also when it is sent again"
    takes_back(api, done, "Ben")
    assert counts(api, done) == ("healthy", "Ana")
    problem = assert_problem(send(b"seq,label,corrected_by\n1,healthy,Ana\n1,rust,Ana\n"), 422, "rows-invalid")
    assert problem["errors"][0]["message"] == "line 2 says something else of the same image"
