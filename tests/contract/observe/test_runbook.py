"""Whoever is called finds what to do: the runbook has a section for each alert, and its commands exist."""

import re

from api.admin.program import COMMANDS
from tests.contract.observe.files import ROOT, RUNBOOK, alerts, sections

SEVERITIES = {"critical", "warning", "info"}
SAYS = {"summary", "description", "threshold", "runbook_url"}
# Words of others that look like ours.
FOREIGN = {"cl_waiting", "default_pool_size", "max_connections", "pg_stat_activity", "pg_wal"}
PARTS = ("**Users**", "**Look**", "**Do**", "**Do not**")


def test_each_alert_has_its_section_and_each_section_its_alert() -> None:
    assert sections() == [alert["alert"] for alert in alerts()]


def test_each_alert_says_what_users_suffer_why_now_and_where_to_read_on() -> None:
    for alert in alerts():
        name = alert["alert"]
        assert set(alert["annotations"]) == SAYS, name
        assert alert["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
        assert set(alert["labels"]) == {"severity"}, name
        assert alert["labels"]["severity"] in SEVERITIES, name


def test_each_section_says_what_it_means_where_to_look_what_to_do_and_what_not() -> None:
    _, *texts = re.split(r"^### ", RUNBOOK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    missing = [(text.split("\n", 1)[0], part) for text in texts for part in PARTS if f"\n{part}" not in text]
    assert missing == []


def test_every_command_of_the_runbook_exists() -> None:
    named = set(re.findall(r"python -m api\.admin ([a-z][a-z-]+)", RUNBOOK.read_text(encoding="utf-8")))
    assert named - {command.name for command in COMMANDS} == set()


def test_every_log_line_of_the_runbook_is_written_by_some_program() -> None:
    words = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", RUNBOOK.read_text(encoding="utf-8")))
    code = "\n".join(
        file.read_text(encoding="utf-8") for top in ("api", "shared", "worker") for file in (ROOT / top).rglob("*.py")
    )
    assert [word for word in sorted(words - FOREIGN) if not re.search(rf"\b{word}\b", code)] == []


def test_every_link_inside_the_runbook_leads_somewhere() -> None:
    links = set(re.findall(r"\(#(\w+)\)", RUNBOOK.read_text(encoding="utf-8")))
    assert links - {section.lower() for section in sections()} == set()
