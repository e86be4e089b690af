"""Which image a line of a sidecar speaks of: by its whole name, else by the file name alone where one image has it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

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
    names = _Names((seq, name.removeprefix(folder)) for seq, name in images if name.startswith(folder))
    found = Matches()
    for row in rows:
        seq, reason = names.find(row.name)
        if seq is None:
            found.unmatched.append(Unmatched(row.line, row.name, reason))
        elif found.rows.setdefault(seq, row) is not row:
            reason = f"line {found.rows[seq].line} speaks of the same image"
            found.unmatched.append(Unmatched(row.line, row.name, reason))
    return found


class _Names:
    def __init__(self, images: Iterable[tuple[int, str]]) -> None:
        self._whole: dict[str, int] = {}
        self._alone: dict[str, list[int]] = defaultdict(list)
        for seq, name in images:
            self._whole[name] = seq
            self._alone[_alone(name)].append(seq)

    def find(self, given: str) -> tuple[int | None, str]:
        """The number of the image, or why there is none."""
        if given in self._whole:
            return self._whole[given], ""
        name = given.replace("\\", "/").removeprefix("./")
        if name in self._whole:
            return self._whole[name], ""
        candidates = self._alone.get(_alone(name), []) if "/" not in name else []
        if len(candidates) == 1:
            return candidates[0], ""
        if candidates:
            return None, f"{len(candidates)} images are called so; write the folder in front of the name"
        return None, "no image has this name"


def _alone(name: str) -> str:
    return PurePosixPath(name).name.casefold()
