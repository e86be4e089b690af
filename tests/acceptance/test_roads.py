"""The other roads of images through the whole system: an import, a multipart upload, and the way out."""

from contextlib import closing
from pathlib import Path

import pytest

from phytobatch import NotFound
from tests.acceptance.system import System
from tests.patience import wait_for

FLIGHTS = "flights-of-a-user"


def keys_below(system: System, bucket: str, prefix: str) -> list[str]:
    with closing(system.servers.objects.client()) as s3:
        listing = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for entry in listing.get("Contents", [])]


def test_the_images_of_an_allowed_prefix_are_imported_and_classified_where_they_lie(
    quiet: System, leaf_files: list[Path]
) -> None:
    system = quiet
    system.servers.objects.create_bucket(FLIGHTS)
    with closing(system.servers.objects.client()) as s3:
        for file in leaf_files[:20]:
            s3.put_object(Bucket=FLIGHTS, Key=f"may/{file.name}", Body=file.read_bytes())
    system.admin("allow-s3", "default", f"s3://{FLIGHTS}/may/")
    system.start_worker()
    with system.client() as api:
        job_id = api.create_job(source={"s3": {"bucket": FLIGHTS, "prefix": "may/"}}).id
    assert system.wait_for_end(job_id).state == "completed"
    assert [result.name for result in system.results(job_id)] == [file.name for file in leaf_files[:20]]
    with system.client() as api:
        api.delete(job_id)
    wait_for(lambda: job_rows(system, job_id), lambda rows: rows == 0)
    assert len(keys_below(system, FLIGHTS, "may/")) == 20, "the originals belong to the user"


def test_a_small_set_in_one_call_is_classified_and_leaves_nothing_when_it_is_deleted(
    quiet: System, leaf_files: list[Path]
) -> None:
    system = quiet
    system.start_worker()
    with system.client() as api:
        job_id = api.create_job_from_files(leaf_files[:10], name="small").id
        assert system.wait_for_end(job_id).counts.succeeded == 10
        assert len(keys_below(system, "phytobatch", f"uploads/{job_id}/")) == 10
        api.delete(job_id)
        with pytest.raises(NotFound):
            api.job(job_id)
    wait_for(lambda: job_rows(system, job_id), lambda rows: rows == 0)
    assert keys_below(system, "phytobatch", f"uploads/{job_id}/") == []


def job_rows(system: System, job_id: str) -> int:
    """Rows that are left of a job, in every table."""
    tables = {"jobs": "id", "images": "job_id", "results": "job_id", "chunks": "job_id", "events": "job_id"}
    with system.sql() as sql:
        counted = [
            sql.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", [job_id]).fetchone()  # noqa: S608  # from here
            for table, column in tables.items()
        ]
    return sum(int(row[0]) for row in counted if row)
