"""The settings of a job in a form."""

from typing import Any

import pytest

from api.jobs.upload import NOT_IN_A_FORM, REQUEST_BODY, _content, _request
from shared.contracts.job_request import ClassifierRef, JobRequest
from shared.errors import InvalidRequest


def test_texts_become_the_settings_that_they_name() -> None:
    given = {"name": "North field", "priority": "interactive", "keep_days": "7", "classifier": "leaf@1"}
    request = _request(given)
    assert (request.name, request.priority, request.keep_days) == ("North field", "interactive", 7)
    assert request.classifier == ClassifierRef(name="leaf", version="1")


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("metadata", "{}", "metadata: Extra inputs are not permitted"),
        ("source", "s3://farm", "source: Extra inputs are not permitted"),
        ("nmae", "x", "nmae: Extra inputs are not permitted"),
        ("keep_days", "soon", "keep_days: Input should be a valid integer, unable to parse string as an integer"),
        ("keep_days", "0", "keep_days: Input should be greater than or equal to 1"),
        ("priority", "now", "priority: Input should be 'interactive' or 'bulk'"),
        ("name", "", "name: String should have at least 1 character"),
        ("classifier", "Leaf", "classifier: String should match pattern"),
    ],
)
def test_a_field_that_cannot_be_is_refused_by_its_name(field: str, text: str, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{sentence}"):
        _request({field: text})


def test_a_form_counts_as_the_same_as_before_there_was_one_list_of_settings() -> None:
    before = {
        "name": "North field",
        "external_id": None,
        "priority": "bulk",
        "classifier": "leaf@1",
        "webhook_url": None,
        "keep_days": 7,
    }
    given = {"name": "North field", "classifier": "leaf@1", "keep_days": "7"}
    assert _content(_request(given), given) == before
    del before["keep_days"]
    assert _content(_request({}), {}) == {**before, "name": None, "classifier": None}


def test_the_document_has_every_setting_of_a_form_without_null() -> None:
    schema: dict[str, Any] = REQUEST_BODY["content"]["multipart/form-data"]["schema"]
    assert set(schema["properties"]) == {"files"} | set(JobRequest.model_fields) - NOT_IN_A_FORM
    assert schema["properties"]["priority"]["enum"] == ["interactive", "bulk"]
    assert schema["properties"]["priority"]["default"] == "bulk"
    assert schema["properties"]["keep_days"]["type"] == "integer"
    assert schema["properties"]["keep_days"]["maximum"] == 36_500
    assert schema["properties"]["classifier"]["type"] == "string"
    assert "null" not in str(schema["properties"])
