"""The page about the architecture and the code name the same programs, states and transitions, and files that exist."""

import re
from pathlib import Path

from deploy.local.programs import COMMANDS
from shared.contracts.states import TERMINAL_EVENT, ChunkState, ImageStatus, JobState
from shared.jobs.lifecycle import TRANSITIONS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PATH = re.compile(r"`((?:api|worker|shared|client|deploy|migrations|tests)/[\w/.-]*)`")


def diagram(kind: str) -> str:
    """The one diagram of this kind."""
    (found,) = (text for text in re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL) if text.startswith(kind))
    return str(found)


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_diagram_has_exactly_the_programs_that_the_stack_starts() -> None:
    started = {" ".join(["python", *command]).partition(" --")[0] for command in COMMANDS.values()}
    assert set(re.findall(r"python -m [\w ]+", diagram("flowchart"))) == started
    assert set(re.findall(r"\| `(python -m [\w ]+)` \|", section("Parts"))) == started


def test_the_diagram_has_exactly_the_transitions_of_the_lifecycle() -> None:
    drawn = set(re.findall(r"^ *(\w+) --> (\w+)", diagram("stateDiagram-v2"), re.MULTILINE))
    assert drawn == {(str(origin), str(to)) for to, origins in TRANSITIONS.items() for origin in origins}


def test_the_diagram_ends_where_a_job_ends() -> None:
    ended = set(re.findall(r"^ *(\w+) --> \[\*\]", diagram("stateDiagram-v2"), re.MULTILINE))
    assert ended == {str(state) for state in TERMINAL_EVENT}
    named = set(re.findall(r"\b[a-z_]+\b", diagram("stateDiagram-v2")))
    assert {str(state) for state in JobState} <= named


def test_every_status_of_an_image_and_state_of_a_chunk_is_named() -> None:
    assert {str(status) for status in ImageStatus} <= set(re.findall(r"`(\w+)`", section("States of a job")))
    assert {str(state) for state in ChunkState} == set(
        re.findall(r"`(ready|running|done)`", section("Leases and fencing"))
    )


def test_every_file_that_the_page_names_exists() -> None:
    named = PATH.findall(PAGE)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []
