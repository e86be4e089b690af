import pytest

from deploy.local.screen import SHOWN_ROWS, console, show_results


def row(**overrides: str) -> dict[str, str]:
    values = {"name": "a.jpg", "status": "succeeded", "label": "rust", "confidence": "0.987", "needs_review": "false"}
    return {**values, "review_reason": "", "error_code": "", "detail": "", **overrides}


def shown(rows: list[dict[str, str]]) -> list[str]:
    with console.capture() as capture:
        show_results(rows)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_failures_come_first_and_say_why() -> None:
    lines = shown([row(), row(name="cut.jpg", status="failed", label="", confidence="", error_code="truncated")])
    assert lines[2].split() == ["cut.jpg", "failed:", "truncated", "yes"]
    assert lines[3].split() == ["a.jpg", "rust", "98.7%"]
    assert lines[4] == "  1 rust, 1 failed"


def test_only_the_first_rows_are_shown_and_all_are_counted() -> None:
    lines = shown([row(name=f"{number}.jpg") for number in range(SHOWN_ROWS + 5)])
    assert sum(".jpg" in line for line in lines) == SHOWN_ROWS
    assert lines[-1] == f"  {SHOWN_ROWS + 5} rust"


@pytest.mark.parametrize("name", ["[red]leaf.jpg", "[/]"])
def test_file_names_are_no_markup(name: str) -> None:
    assert any(name in line for line in shown([row(name=name)]))
