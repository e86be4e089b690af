"""What people say of images: kept beside the prediction, shown wherever results are, and never lost."""

import csv
import io
import json
import uuid
from typing import Any

import pytest

from shared.contracts.states import Scope
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.conftest import Api, MakeKey, assert_problem


@pytest.fixture
def done(hands: Hands, committed: str) -> str:
    """A job of five images of rust, 1.jpg to 5.jpg, of which the second failed."""
    hands.run(committed, lambda seq: truncated(seq) if seq == 2 else rust(seq))
    return committed


def correct(api: Api, job_id: str, seq: int, **body: Any) -> dict[str, Any]:  # noqa: ANN401  # a correction
    answer = api.request("PUT", f"/v1/jobs/{job_id}/images/{seq}/correction", json=body)
    assert answer.status == 200, answer.data
    return dict(answer.json())


def send(api: Api, job_id: str, table: str | bytes, content_type: str = "text/csv") -> Any:  # noqa: ANN401  # an answer
    body = table.encode() if isinstance(table, str) else table
    return api.request("POST", f"/v1/jobs/{job_id}/corrections", body=body, headers={"Content-Type": content_type})


def listed(api: Api, job_id: str) -> dict[int, tuple[str, str | None]]:
    page = api.get(f"/v1/jobs/{job_id}/corrections").json()
    return {one["seq"]: (one["label"], one["note"]) for one in page["corrections"]}


def test_a_correction_stands_beside_the_prediction(api: Api, done: str) -> None:
    made = correct(api, done, 1, label="powdery_mildew", note="white coating")
    assert (made["label"], made["predicted"], made["confidence"], made["name"]) == (
        "powdery_mildew",
        "rust",
        0.9,
        "1.jpg",
    )
    assert made["corrected_by"] == "test", "the name of the key, where nobody says who"
    assert made["links"]["file"] == f"/v1/jobs/{done}/images/1/file"
    assert correct(api, done, 1, label="healthy", corrected_by="Ana")["corrected_by"] == "Ana"
    assert listed(api, done) == {1: ("healthy", None)}


def test_names_match_composed_and_decomposed_and_come_back_as_they_were_sent(api: Api, hands: Hands) -> None:
    """macOS stores a name decomposed, spreadsheets write it composed."""
    stored, written = "sen\u0303al_01.jpg", "se\u00f1al_01.jpg"
    job_id = api.new_job()
    assert api.post(f"/v1/jobs/{job_id}/images", {"images": [{"name": stored, "size": 10}]}).status == 200
    table = f"filename,latitude,longitude\n{written},41.65,0.61\n".encode()
    sidecar = api.request("PUT", f"/v1/jobs/{job_id}/sidecar", body=table, headers={"Content-Type": "text/csv"})
    assert (sidecar.json()["matched"], sidecar.json()["unmatched"]) == (1, [])
    api.commit(job_id)
    hands.run(job_id, rust)
    assert send(api, job_id, f"name,label\n{written},rust\n").json()["corrections"] == 1
    (result,) = api.get(f"/v1/jobs/{job_id}/results").json()["results"]
    assert (result["name"], result["place"]["latitude"]) == (stored, 41.65)
    assert api.get(f"/v1/jobs/{job_id}/corrections").json()["corrections"][0]["name"] == stored


def test_it_is_shown_in_results_and_exports(api: Api, done: str) -> None:
    correct(api, done, 3, label="healthy", note="=dust")
    results = {result["seq"]: result for result in api.get(f"/v1/jobs/{done}/results").json()["results"]}
    assert results[1]["correction"] is None
    shown = results[3]["correction"]
    assert (shown["label"], shown["note"], results[3]["label"]) == ("healthy", "=dust", "rust")
    exported = api.get(f"/v1/jobs/{done}/export?format=ndjson").data.splitlines()
    assert [json.loads(line)["corrected_label"] for line in exported] == [None, None, "healthy", None, None]


def test_the_etag_of_the_job_changes_with_each_correction_and_with_nothing_else(api: Api, done: str) -> None:
    def etag() -> str:
        return str(api.get(f"/v1/jobs/{done}").headers["ETag"])

    before = etag()
    correct(api, done, 1, label="healthy")
    first = etag()
    correct(api, done, 1, label="healthy")
    again = etag()
    api.request("DELETE", f"/v1/jobs/{done}/images/1/correction")
    taken_back = etag()
    api.request("DELETE", f"/v1/jobs/{done}/images/1/correction")
    assert len({before, first, taken_back}) == 3
    assert (again, etag()) == (first, taken_back)


def test_corrections_survive_a_retry(api: Api, hands: Hands, done: str) -> None:
    correct(api, done, 2, label="rust")
    assert api.post(f"/v1/jobs/{done}/retry").status == 202
    hands.run(done)
    assert listed(api, done) == {2: ("rust", None)}


def test_images_without_an_answer_can_be_corrected_and_others_cannot(api: Api, drafted: str) -> None:
    assert correct(api, drafted, 1, label="healthy")["predicted"] is None
    assert_problem(
        api.request("PUT", f"/v1/jobs/{drafted}/images/99/correction", json={"label": "rust"}), 404, "not-found"
    )
    assert_problem(api.request("DELETE", f"/v1/jobs/{drafted}/images/99/correction"), 404, "not-found")


@pytest.mark.parametrize("label", ["", "two words", "-x", "a" * 65, "ü"])
def test_a_label_is_an_id_as_classes_have(api: Api, drafted: str, label: str) -> None:
    answer = api.request("PUT", f"/v1/jobs/{drafted}/images/1/correction", json={"label": label})
    assert_problem(answer, 422, "invalid-request")


def test_writing_needs_the_scope_submit_and_another_tenants_job_does_not_exist(
    anonymous: Api,
    api: Api,
    make_key: MakeKey,
    tenant_id: uuid.UUID,
    done: str,
) -> None:
    reader = anonymous.with_key(make_key(tenant_id, Scope.READ))
    path = f"/v1/jobs/{done}/images/1/correction"
    assert_problem(reader.request("PUT", path, json={"label": "rust"}), 403, "forbidden")
    assert reader.get(f"/v1/jobs/{done}/corrections").status == 200
    other = anonymous.with_key(make_key())
    assert_problem(other.request("PUT", path, json={"label": "rust"}), 404, "not-found")
    assert_problem(send(other, done, "name,label\n1.jpg,rust\n"), 404, "not-found")
    assert listed(api, done) == {}


def test_pages_of_corrections_go_on_where_the_last_one_ended(api: Api, done: str) -> None:
    for seq in range(1, 6):
        correct(api, done, seq, label="rust")
    seqs, after = [], "-1"
    while True:
        page = api.get(f"/v1/jobs/{done}/corrections?limit=2&after={after}").json()
        seqs += [one["seq"] for one in page["corrections"]]
        after = page["after"]
        if not page["has_more"]:
            break
    assert seqs == [1, 2, 3, 4, 5]


def test_a_table_is_taken_whole(api: Api, done: str) -> None:
    answer = send(api, done, 'name,label,note\r\n1.jpg,healthy,"two\nlines"\r\n\r\n2.jpg,rust,\r\n')
    assert (answer.status, answer.json()) == (200, {"corrections": 2, "changed": 2})
    assert listed(api, done) == {1: ("healthy", "two\nlines"), 2: ("rust", None)}
    again = send(api, done, "seq,label,note\n1,healthy,changed\n2,rust,\n")
    assert again.json() == {"corrections": 2, "changed": 1}


def test_a_table_with_a_wrong_line_is_not_taken_at_all_and_every_line_is_told(api: Api, done: str) -> None:
    answer = send(api, done, 'name,label,note\n1.jpg,healthy,"a\nb"\nnope.jpg,rust,\n3.jpg,rust,\n3.jpg,healthy,\n')
    problem = assert_problem(answer, 422, "rows-invalid")
    assert [(error["field"], error["message"]) for error in problem["errors"]] == [
        ("line 4", "the job has no image 'nope.jpg'"),
        ("line 6", "line 5 says something else of the same image"),
    ]
    assert listed(api, done) == {}
    problem = assert_problem(send(api, done, "name,label\n1.jpg,two words\n2.jpg,\n,rust\n"), 422, "rows-invalid")
    assert [error["field"] for error in problem["errors"]] == ["line 2", "line 3", "line 4"]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "first line must name the columns"),
        ("image,class\na,b\n", "first line must name the columns"),
        ("name,label,label\na,b,c\n", "twice"),
        ("name,label\n1.jpg,rust\n".encode("utf-16")[:-1], "UTF-8"),
        ("name,label\nBl\xe4tter.jpg,rust\n".encode("latin-1"), "UTF-8"),
        ("seq,label\nfirst,rust\n", "no number"),
        ("seq,name,label\n1,2.jpg,rust\n", "is '1.jpg', not '2.jpg'"),
    ],
)
def test_what_is_no_such_table_says_what_to_do(api: Api, done: str, table: str | bytes, says: str) -> None:
    assert says in assert_problem(send(api, done, table), 422, "rows-invalid")["detail"]


def test_a_table_needs_its_media_type(api: Api, done: str) -> None:
    assert_problem(send(api, done, "name,label\n", "application/json"), 422, "invalid-request")


def test_an_export_that_was_filled_in_can_be_sent_back(api: Api, done: str) -> None:
    exported = api.get(f"/v1/jobs/{done}/export").data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(exported, newline="")))
    rows[2]["corrected_label"], rows[2]["correction_note"] = "healthy", "dust"
    # As a spreadsheet of Europe saves it.
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    answer = send(api, done, "\ufeff" + out.getvalue())
    assert (answer.status, answer.json()) == (200, {"corrections": 1, "changed": 1})
    assert listed(api, done) == {3: ("healthy", "dust")}


def test_names_that_a_spreadsheet_would_run_are_found_again(api: Api) -> None:
    job_id = api.new_job()
    api.add(job_id, "=1+1.jpg", "'=1+1.jpg", "plain.jpg")
    api.commit(job_id)
    assert send(api, job_id, "name,label\n'=1+1.jpg,literal\n=1+1.jpg,formula\n").status == 200
    assert {seq: label for seq, (label, _) in listed(api, job_id).items()} == {1: "formula", 2: "literal"}
