"""The manuals name what the code has, their links lead somewhere, and the Spanish pages match the English ones."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.contracts.manifest import ReviewReason
from shared.contracts.states import ImageErrorCode
from shared.settings import ENV_PREFIX, environment_table
from tests.acceptance.docs.pages import RUN, blocks

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(page.relative_to(ROOT).as_posix() for page in [*DOCS.rglob("*.md"), ROOT / "README.md"])
TRANSLATED = ("installation.md", "maintenance.md", "use.md")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(rf"`({ENV_PREFIX}[A-Z0-9_]+)`")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    return {_anchor(heading) for heading in HEADING.findall(FENCED.sub("", text(page)))}


def _anchor(heading: str) -> str:
    kept = [c for c in heading.lower() if c in " -_" or unicodedata.category(c)[0] in "LN"]
    return "".join(kept).replace(" ", "-")


def dead_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(FENCED.sub("", text(page))):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    assert list(dead_links(ROOT / name)) == []


def test_every_decision_is_listed_by_its_number_and_title() -> None:
    records = sorted((DOCS / "decisions").glob("0*.md"))
    titles = [text(record).splitlines()[0].removeprefix("# ") for record in records]
    assert [title.partition(".")[0] for title in titles] == [str(number) for number in range(1, len(records) + 1)]
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", text(DOCS / "decisions" / "README.md"), re.MULTILINE)
    assert listed == [(title, record.name) for title, record in zip(titles, records, strict=True)]


@pytest.mark.parametrize("name", [*PAGES, "CONTRIBUTING.md", "Makefile"])
def test_every_module_that_a_page_runs_exists(name: str) -> None:
    modules = set(re.findall(r"python -m ((?:api|deploy|shared|tests|worker)(?:\.\w+)*)", text(ROOT / name)))
    paths = {module: ROOT / module.replace(".", "/") for module in modules}
    missing = {
        m for m, path in paths.items() if not path.with_suffix(".py").exists() and not (path / "__main__.py").exists()
    }
    assert missing == set()


def test_the_guide_names_every_code_that_a_user_can_see() -> None:
    problems = text(DOCS / "http-api.md").partition("## Problem codes")[2]
    codes = {code for code in re.findall(r"`([a-z-]+)`", problems) if "-" in code or code == "forbidden"}
    seen = set(re.findall(r"`([a-z_-]+)`", text(DOCS / "use.md")))
    assert codes - seen == set()
    assert {str(code) for code in (*ImageErrorCode, *ReviewReason)} - seen == set()


def code_of(page: Path) -> list[tuple[str, list[str]]]:
    """Return the code that a reader would run, and what is shown, without comments."""
    return [
        (block.language, [re.sub(r"\s+# .*$", "", line) for line in block.lines if not line.startswith("#")])
        for block in blocks(page)
        if block.language in (*RUN, "text", "json")
    ]


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_translated_page_has_the_commands_that_are_tested(name: str) -> None:
    assert [(k, " ".join(v).split()) for k, v in code_of(DOCS / "es" / name)] == [
        (k, " ".join(v).split()) for k, v in code_of(DOCS / name)
    ]


def rows(table: str) -> list[tuple[str, str]]:
    """Name and default of each variable."""
    found = re.findall(r"^\| `([A-Z0-9_]+)` \| (.*?) ?\| ", table, re.MULTILINE)
    return [(name, {"required": "obligatoria"}.get(default.strip(), default.strip())) for name, default in found]


def test_the_spanish_table_has_every_variable_with_the_default_of_the_code() -> None:
    spanish = text(DOCS / "es" / "configuration.md")
    assert rows(spanish.partition("## El conjunto local")[0]) == rows(environment_table())
    assert set(VARIABLE.findall(spanish)) >= set(VARIABLE.findall(text(DOCS / "configuration.md")))
