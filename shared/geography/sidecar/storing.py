"""Storing a sidecar into the images of a job."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from shared.contracts.geography import PositionSource
from shared.contracts.metadata import IMAGE_METADATA_BYTES
from shared.db.models import Image
from shared.db.refusals import store_or_refuse
from shared.geography.sidecar.matching import Matches, Unmatched, match
from shared.geography.sidecar.row import SidecarInvalid, SidecarRow

# The client's own position stays, and so does every key of its own metadata. Those of an earlier sidecar are replaced.
STORE = text(
    """
    UPDATE images i SET
        latitude = CASE WHEN r.places THEN r.latitude ELSE i.latitude END,
        longitude = CASE WHEN r.places THEN r.longitude ELSE i.longitude END,
        position_source = CASE WHEN r.places THEN :sidecar ELSE i.position_source END,
        altitude = CASE WHEN r.replaces THEN coalesce(r.altitude, i.altitude) ELSE coalesce(i.altitude, r.altitude) END,
        heading = CASE WHEN r.replaces THEN coalesce(r.heading, i.heading) ELSE coalesce(i.heading, r.heading) END,
        captured_at = CASE WHEN r.replaces THEN coalesce(r.captured_at, i.captured_at)
                      ELSE coalesce(i.captured_at, r.captured_at) END,
        height_above_ground = CASE WHEN r.replaces THEN coalesce(r.height_above_ground, i.height_above_ground)
                              ELSE coalesce(i.height_above_ground, r.height_above_ground) END,
        metadata = CASE WHEN r.metadata = '{}' THEN i.metadata
                   ELSE r.metadata || coalesce(i.metadata, '{}') END
    FROM (
        SELECT given.*, known.position_source IS NOT DISTINCT FROM :sidecar AS replaces,
               given.latitude IS NOT NULL AND given.longitude IS NOT NULL
               AND (known.position_source = :sidecar OR known.latitude IS NULL OR known.longitude IS NULL) AS places
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given(
            seq int, latitude float8, longitude float8, altitude float8, heading real, captured_at timestamptz,
            height_above_ground real, metadata jsonb)
        JOIN images known ON known.job_id = :job AND known.seq = given.seq) AS r
    WHERE i.job_id = :job AND i.seq = r.seq
    """
).bindparams(bindparam("sidecar", value=PositionSource.SIDECAR.value))

TOO_LARGE = text(
    """
    SELECT seq, octet_length(metadata::text) AS size FROM images
    WHERE job_id = :job AND seq = ANY(CAST(:seqs AS int[])) AND octet_length(metadata::text) > :max
    ORDER BY seq LIMIT 1
    """
)


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a sidecar: its lines, those without an image, and the images that still have no position.

    Those images may get one from their own files.
    """

    lines: int
    unmatched: list[Unmatched]
    images: int
    without_position: list[str]


def apply_sidecar(session: Session, job_id: uuid.UUID, rows: Sequence[SidecarRow], *, folder: str = "") -> Report:
    """Store the rows into their images. The caller holds the lock of the job's row.

    Args:
        session: in a transaction.
        job_id: of a job that does not run yet.
        rows: of one sidecar.
        folder: the beginning of the names that it is about.

    Raises:
        SidecarInvalid: it cannot be stored; the sentence names the line.
    """
    images = session.execute(select(Image.seq, Image.name).where(Image.job_id == job_id).order_by(Image.seq)).all()
    matches = match(rows, ((row.seq, row.name) for row in images), folder=folder)
    _store(session, job_id, matches)
    missing = session.scalars(
        select(Image.name).where(Image.job_id == job_id, Image.latitude.is_(None)).order_by(Image.seq)
    )
    return Report(len(rows), matches.unmatched, len(images), list(missing))


def _store(session: Session, job_id: uuid.UUID, matches: Matches) -> None:
    """Store all rows or none, because a sidecar that was stored in part is worse than none.

    Raises:
        SidecarInvalid: the database refuses a row.
    """

    def store(part: Sequence[tuple[int, SidecarRow]]) -> None:
        session.execute(STORE, {"job": job_id, "rows": _json(part)})

    refused = store_or_refuse(session, list(matches.rows.items()), store)
    if refused:
        raise SidecarInvalid(f"line {refused[0][1].line}: a value of this line cannot be stored")
    _check_sizes(session, job_id, matches)


def _check_sizes(session: Session, job_id: uuid.UUID, matches: Matches) -> None:
    """Check that an image keeps to its limit when keys of several sidecars come together.

    Raises:
        SidecarInvalid: the metadata of an image exceed the limit.
    """
    seqs = [seq for seq, row in matches.rows.items() if row.metadata]
    if not seqs:
        return
    large = session.execute(TOO_LARGE, {"job": job_id, "seqs": seqs, "max": IMAGE_METADATA_BYTES}).first()
    if large is not None:
        raise SidecarInvalid(
            f"line {matches.rows[large.seq].line}: together with what is known of this image, its metadata would have "
            f"{large.size} bytes as JSON, at most {IMAGE_METADATA_BYTES} are kept"
        )


def _json(rows: Sequence[tuple[int, SidecarRow]]) -> str:
    return json.dumps([asdict(row) | {"seq": seq} for seq, row in rows], default=datetime.isoformat)
