import pytest
from pydantic import ValidationError

from shared.contracts.job_request import RESOLVED, ClassifierRef, JobRequest
from shared.db.models import Job


def test_classifiers_are_named_with_or_without_a_version() -> None:
    assert ClassifierRef.of("leaf").model_dump() == {"name": "leaf", "version": None}
    assert ClassifierRef.of("leaf@1.2").model_dump() == {"name": "leaf", "version": "1.2"}


def test_every_setting_is_a_column_of_jobs_or_names_what_has_an_id() -> None:
    columns = {column.name for column in Job.__table__.columns}
    assert set(JobRequest.model_fields) - RESOLVED <= columns
    assert set(JobRequest().columns()) == set(JobRequest.model_fields) - RESOLVED


def test_younger_settings_count_for_a_repeated_request_only_when_they_are_used() -> None:
    first = {"name", "external_id", "metadata", "priority", "classifier", "source", "webhook_url"}
    assert set(JobRequest().content()) == first
    assert JobRequest(keep_days=7).content() == {**JobRequest().content(), "keep_days": 7}


def test_another_setting_stands_in_the_row_and_in_the_content_by_itself() -> None:
    class Longer(JobRequest):
        altitude_limit: int | None = None

    assert "altitude_limit" not in Longer().content()
    assert Longer(altitude_limit=3).content()["altitude_limit"] == 3
    assert Longer(altitude_limit=3).columns()["altitude_limit"] == 3


@pytest.mark.parametrize("value", [True, "7", 7.0, 0, 36_501])
def test_days_are_whole_numbers_in_json(value: object) -> None:
    with pytest.raises(ValidationError):
        JobRequest.model_validate({"keep_days": value})


def test_a_setting_that_is_misspelled_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        JobRequest.model_validate({"nmae": "North field"})
