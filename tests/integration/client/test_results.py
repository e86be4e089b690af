"""``phytobatch results`` and ``--out``: the table is that of the server's exports, whoever writes it."""

import json
from pathlib import Path

import pytest

from phytobatch import Phytobatch
from shared.jobs.results import NewResult
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.client.conftest import Beside, Shell
from tests.patience import wait_for


def second_is_truncated(seq: int) -> NewResult:
    return truncated(seq) if seq == 2 else rust(seq)


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "geojson", "kml", "parquet"])
def test_results_and_export_write_the_same_file(
    shell: Shell, committed: str, hands: Hands, tmp_path: Path, suffix: str
) -> None:
    hands.run(committed, second_is_truncated)
    shell.run("results", committed, "--out", str(tmp_path / f"a.{suffix}"))
    shell.run("export", committed, "--out", str(tmp_path / f"b.{suffix}"))
    written = (tmp_path / f"a.{suffix}").read_bytes()
    assert written
    assert written == (tmp_path / f"b.{suffix}").read_bytes()


def test_a_table_of_results_comes_back_as_corrections(
    sdk: Phytobatch, shell: Shell, committed: str, hands: Hands, tmp_path: Path
) -> None:
    table = tmp_path / "r.csv"
    hands.run(committed, second_is_truncated)
    shell.run("watch", committed, "--out", str(table), code=3)
    head, first, *rest = table.read_text(encoding="utf-8-sig").splitlines()
    cells = first.split(",")
    cells[head.split(",").index("corrected_label")] = "healthy"
    table.write_text("\n".join([head, ",".join(cells), *rest]))
    assert shell.json("corrections", "import", committed, str(table)) == {"corrections": 1, "changed": 1}
    assert [one.label for one in sdk.corrections.list(committed)] == ["healthy"]


def test_stdout_has_csv_without_a_mark_and_ndjson_for_programs(shell: Shell, committed: str, hands: Hands) -> None:
    hands.run(committed, second_is_truncated)
    printed = shell.run("results", committed).stdout
    assert printed.startswith("seq,name,status,label")
    assert len(printed.splitlines()) == 6
    rows = [
        json.loads(line) for line in shell.run("results", committed, "--status", "failed", "--json").stdout.splitlines()
    ]
    assert [(row["seq"], row["error_code"]) for row in rows] == [(2, "truncated")]
    assert "parquet" not in shell.run("results", committed, "--format", "kml").stderr


def test_follow_waits_for_the_end_and_then_writes_all_rows(
    sdk: Phytobatch, shell: Shell, committed: str, hands: Hands, beside: Beside, tmp_path: Path
) -> None:
    def work() -> None:
        wait_for(lambda: sdk.job(committed).state != "draft")
        hands.run(committed)

    beside(work)
    out = tmp_path / "r.ndjson"
    shell.run("results", committed, "--follow", "--out", str(out))
    assert [json.loads(line)["status"] for line in out.read_text().splitlines()] == ["succeeded"] * 5


def test_a_job_is_summed_up_by_the_server(shell: Shell, committed: str, hands: Hands) -> None:
    hands.run(committed, second_is_truncated)
    document = shell.json("watch", committed, code=3)
    (label,) = document["summary"]["overall"]["labels"]
    assert (label["label"], label["images"], label["share"], label["tiles"]) == ("rust", 4, 1.0, None)
    assert [(one["name"], one["error"]["code"]) for one in document["failures"]] == [("2.jpg", "truncated")]
    text = shell.run("watch", committed, code=3).stdout
    assert "1 image without a classification" in text
    assert "truncated" in text


def test_a_suffix_without_a_format_is_refused_before_anything_else(
    shell: Shell, committed: str, tmp_path: Path
) -> None:
    refused = shell.run("results", committed, "--out", str(tmp_path / "r.json"), code=2)
    assert ".ndjson" in refused.stderr
