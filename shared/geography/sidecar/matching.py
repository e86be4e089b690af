"""Which image each line of a sidecar speaks of."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.contracts.image_names import ImageNames
from shared.geography.sidecar.row import SidecarRow


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A line that speaks of no image, and why."""

    line: int
    name: str
    reason: str


@dataclass(slots=True)
class Matches:
    """Rows by the number of their image, and those without one."""

    rows: dict[int, SidecarRow] = field(default_factory=dict)
    unmatched: list[Unmatched] = field(default_factory=list)


def match(rows: Iterable[SidecarRow], images: Iterable[tuple[int, str]], *, folder: str = "") -> Matches:
    """Give each row its image.

    Args:
        rows: of one sidecar.
        images: number and name of each image of the job.
        folder: the sidecar speaks of images whose names begin so; its names go on from there.
    """
    names = ImageNames(images, folder=folder)
    found = Matches()
    for row in rows:
        seq, reason = names.find(row.name)
        if seq is None:
            found.unmatched.append(Unmatched(row.line, row.name, reason))
        elif found.rows.setdefault(seq, row) is not row:
            reason = f"line {found.rows[seq].line} speaks of the same image"
            found.unmatched.append(Unmatched(row.line, row.name, reason))
    return found
