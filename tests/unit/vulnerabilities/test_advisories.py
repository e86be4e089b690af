import json
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from deploy.vulnerabilities.advisories import Advisory, parse, read_folder
from deploy.vulnerabilities.errors import AdvisoryUnreadable
from tests.unit.vulnerabilities.osv import PILLOW, advisory


def only(document: dict[str, Any], package: str = "example") -> Advisory:
    (found,) = parse(document, {package})
    return found


def affected(document: dict[str, Any], *versions: str) -> list[str]:
    found = only(document)
    return [version for version in versions if found.affects(Version(version))]


def test_the_gzip_bomb_of_pillow() -> None:
    found = only(PILLOW, "pillow")
    versions = ("10.2.0", "10.3.0", "12.1.1", "12.2.0rc1", "12.2.0", "13.0.0")
    assert [text for text in versions if found.affects(Version(text))] == ["10.3.0", "12.1.1", "12.2.0rc1"]


def test_an_advisory_says_what_it_is_and_what_cures_it() -> None:
    found = only(PILLOW, "pillow")
    assert (found.id, found.aliases) == ("GHSA-whj4-6x5x-4v2j", ("CVE-2026-40192",))
    assert found.fixed_in(Version("12.1.1")) == Version("12.2.0")


def test_without_a_summary_the_first_line_of_the_details_stands_for_it() -> None:
    assert only(advisory({"introduced": "0"})).summary == "It can be made to fail."


def test_a_range_from_zero_begins_with_the_first_version_and_its_fix_is_outside() -> None:
    document = advisory({"introduced": "0"}, {"fixed": "2.0"})
    assert affected(document, "0.0.1", "1.9", "2.0rc1", "2.0", "2.0.0", "2.1") == ["0.0.1", "1.9", "2.0rc1"]


def test_several_branches_have_a_fix_each() -> None:
    document = advisory({"introduced": "0"}, {"fixed": "1.26.17"}, {"introduced": "2.0.0"}, {"fixed": "2.0.6"})
    assert affected(document, "1.26.16", "1.26.17", "2.0.0", "2.0.5", "2.0.6") == ["1.26.16", "2.0.0", "2.0.5"]
    assert only(document).fixed_in(Version("1.26.16")) == Version("1.26.17")
    assert only(document).fixed_in(Version("2.0.1")) == Version("2.0.6")


def test_a_fix_that_is_itself_affected_is_no_fix() -> None:
    document = advisory({"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "1.5"}, {"fixed": "1.6"})
    assert only(document).fixed_in(Version("1.4")) == Version("1.6")


def test_events_may_come_in_any_order() -> None:
    document = advisory({"fixed": "2.0.6"}, {"introduced": "2.0.0"}, {"fixed": "1.10"}, {"introduced": "0"})
    assert affected(document, "1.9", "1.10", "2.0.5", "2.0.6", "10.0") == ["1.9", "2.0.5"]


def test_the_last_affected_version_is_affected() -> None:
    document = advisory({"introduced": "1.0"}, {"last_affected": "1.4"})
    assert affected(document, "0.9", "1.0", "1.4", "1.4.1") == ["1.0", "1.4"]


def test_without_a_fix_every_later_version_is_affected() -> None:
    document = advisory({"introduced": "1.0"})
    assert affected(document, "0.9", "99") == ["99"]
    assert only(document).fixed_in(Version("99")) is None


def test_listed_versions_count_without_a_range_however_they_are_written() -> None:
    document = advisory(ranges=[], versions=["1.0.0-rc1", "v1.1", "2004d", "not a version"])
    assert affected(document, "1.0.0rc1", "1.1", "1.2") == ["1.0.0rc1", "1.1"]


def test_commits_say_nothing_about_versions() -> None:
    commits = {"type": "GIT", "repo": "https://example.org/x", "events": [{"introduced": "0"}, {"fixed": "a1b2c3"}]}
    assert affected(advisory(ranges=[commits]), "1.0") == []


def test_what_was_withdrawn_or_concerns_others_is_nothing_to_us() -> None:
    assert list(parse({**PILLOW, "withdrawn": "2026-05-01T00:00:00Z"}, {"pillow"})) == []
    assert list(parse(PILLOW, {"numpy"})) == []
    npm = advisory({"introduced": "0"}, package="pillow")
    npm["affected"][0]["package"]["ecosystem"] = "npm"
    assert list(parse(npm, {"pillow"})) == []


def test_names_are_the_same_however_they_are_written() -> None:
    assert only(advisory({"introduced": "0"}, package="Typing_Extensions"), "typing-extensions").affects(Version("1"))


def test_a_folder_is_read_with_all_its_folders(tmp_path: Path) -> None:
    (tmp_path / "PyPI").mkdir()
    (tmp_path / "PyPI" / "GHSA-whj4-6x5x-4v2j.json").write_text(json.dumps(PILLOW))
    (tmp_path / "other.json").write_text(json.dumps(advisory({"introduced": "0"})))
    assert [found.package for found in read_folder(tmp_path, ["pillow"])] == ["pillow"]


def test_a_folder_without_advisories_says_nothing_and_must_not_pass_for_clean(tmp_path: Path) -> None:
    with pytest.raises(AdvisoryUnreadable, match="has no advisories"):
        read_folder(tmp_path, ["pillow"])


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        json.dumps(advisory({"introduced": "one"}, {"fixed": "two"})),
        json.dumps(advisory({"begun": "1.0"})),
    ],
)
def test_what_is_no_advisory_is_refused_by_its_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "broken.json").write_text(content)
    with pytest.raises(AdvisoryUnreadable, match=r"broken\.json is no advisory of OSV"):
        read_folder(tmp_path, ["example"])
