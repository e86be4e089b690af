"""A page of the manual as programs: its code blocks, in their order and on their lines, one script for each language.

A block in ``bash`` or ``python`` is run. Above one that is not there is a line ``*Not run by the tests: reason.*``. A
block in ``text`` under a block that is run is its output: each line must come, in this order. ``…`` stands for
anything, alone in a line for any lines.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.patience import PATIENCE_SECONDS

RUN = ("bash", "python")
SHOWN = ("json", "text", "mermaid")
NOT_RUN = re.compile(r"\*Not run by the tests\b[^:]*: .{10,}\*")
BEGIN = {
    "bash": "set -Eeuo pipefail; trap 'echo \"line $LINENO: $BASH_COMMAND\" >&2' ERR",
    "python": "",
}
SAY = {"bash": "echo '@@ {line}'", "python": "print('@@ {line}', flush=True)"}


@dataclass(frozen=True)
class Block:
    """One fenced block. ``line`` is that of its opening fence."""

    language: str
    line: int
    lines: tuple[str, ...]
    excused: bool

    @property
    def runs(self) -> bool:
        """True if a test runs it."""
        return self.language in RUN and not self.excused


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    opened: tuple[str, int, str] | None = None
    inside: list[str] = []
    before = ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if opened is None and line.startswith("```"):
            opened, inside = (line.removeprefix("```").strip(), number, before), []
        elif opened is not None and line == "```":
            language, start, above = opened
            found.append(Block(language, start, tuple(inside), bool(NOT_RUN.fullmatch(above))))
            opened = None
        elif opened is not None:
            inside.append(line)
        before = line.strip() or before
    assert opened is None, f"{page.name}: the block of line {opened and opened[1]} has no end"
    return found


def unexplained(page: Path) -> list[str]:
    """Blocks that are neither run, nor excused with a reason, nor something that is only shown."""
    return [f"{page.name}, line {b.line}: `{b.language}`" for b in blocks(page) if b.language not in RUN + SHOWN]


def script(page: Path, language: str) -> str:
    """The blocks of one language as a program, each line where it stands in the page."""
    length = len(page.read_text(encoding="utf-8").splitlines())
    lines = [""] * length
    lines[0] = BEGIN[language]
    for block in blocks(page):
        if block.runs and block.language == language:
            lines[block.line - 1] = SAY[language].format(line=block.line)
            lines[block.line : block.line + len(block.lines)] = block.lines
    return "\n".join(lines) + "\n"


def run(page: Path, language: str, folder: Path, environment: Mapping[str, str]) -> dict[int, list[str]]:
    """Run the blocks of one language; what each printed, by the line of its fence."""
    program = folder / f"{page.stem}.{language}"
    program.write_text(script(page, language), encoding="utf-8")
    with subprocess.Popen(
        [language, str(program)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            # A page starts dozens of programs, one after the other.
            out, err = process.communicate(timeout=3 * PATIENCE_SECONDS)
        finally:  # with what it left in the background
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, f"{page.name}, {language}: {err}\n{out}"
    return _by_block(out)


def _by_block(out: str) -> dict[int, list[str]]:
    printed: dict[int, list[str]] = {}
    for part in re.split(r"(?m)^@@ ", out)[1:]:
        number, _, text = part.partition("\n")
        printed[int(number)] = text.splitlines()
    return printed


def expected(page: Path) -> Iterator[tuple[Block, Block]]:
    """Blocks that are run, each with the output that the page shows for it."""
    found = blocks(page)
    for block, after in pairwise(found):
        if block.runs and after.language == "text":
            yield block, after


def missing(shown: Block, printed: list[str]) -> str | None:
    """The first line that the page shows and the program did not print, in this order."""
    rest = iter(printed)
    for line in shown.lines:
        if line.strip() == "…":
            continue
        pattern = re.compile(".*?".join(re.escape(piece) for piece in line.rstrip().split("…")))
        if not any(pattern.fullmatch(seen.rstrip()) for seen in rest):
            return line
    return None
