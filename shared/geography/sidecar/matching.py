"""The search for the image of each line of a sidecar."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.contracts.image_names import ImageNames
from shared.geography.sidecar.row import SidecarRow


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A line without an image, and the reason."""

    line: int
    name: str
    reason: str


@dataclass(slots=True)
class Matches:
    """Rows by the number of their image, and those without one."""

    rows: dict[int, SidecarRow] = field(default_factory=dict)
    unmatched: list[Unmatched] = field(default_factory=list)


def match(rows: Iterable[SidecarRow], images: Iterable[tuple[int, str]], *, folder: str = "") -> Matches:
    """Find the image of each row.

    Args:
        rows: of one sidecar.
        images: number and name of each image of the job.
        folder: the sidecar is about images whose names begin so; its names continue from there.
    """
    names = ImageNames(images, folder=folder)
    matches = Matches()
    for row in rows:
        seq, reason = names.find(row.name)
        if seq is None:
            matches.unmatched.append(Unmatched(row.line, row.name, reason))
        elif matches.rows.setdefault(seq, row) is not row:
            reason = f"line {matches.rows[seq].line} speaks of the same image"
            matches.unmatched.append(Unmatched(row.line, row.name, reason))
    return matches
