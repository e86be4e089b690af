"""What the command says before it needs TensorFlow. tests/model has the rest."""

import subprocess
import sys
from pathlib import Path

import pytest

from worker.inference.__main__ import EXIT_USAGE, in_order, main
from worker.inference.pipeline import Outcome


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "gone.jpg")]) == EXIT_USAGE
    assert "gone.jpg" in capsys.readouterr().err


def test_a_folder_without_images_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    assert main([str(tmp_path)]) == EXIT_USAGE
    assert "no images" in capsys.readouterr().err


def test_a_folder_that_is_no_classifier_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"x")
    assert main([str(photo), "--classifier", str(tmp_path)]) == EXIT_USAGE
    assert "manifest.json" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["x.jpg", "--batch-size", "0"], ["x.jpg", "--batch-size", "many"]])
def test_options_without_sense_are_a_usage_error(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == EXIT_USAGE


def test_nothing_here_imports_tensorflow() -> None:
    """In a fresh process, because other tests may have imported it."""
    program = (
        "import sys, worker.inference.__main__, worker.inference.pipeline, worker.inference.keras_classifier\n"
        "assert not {'tensorflow', 'keras', 'celery', 'sqlalchemy', 'boto3', 'shared.settings'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_answers_come_in_the_order_of_the_files_and_as_early_as_that_allows() -> None:
    finished = iter([Outcome(seq) for seq in (1, 0, 3, 2)])
    answers = in_order(finished)
    assert [next(answers).seq, next(answers).seq] == [0, 1]
    assert next(finished).seq == 3, "what is not needed yet is not waited for"
