"""The system answers what its classifier answers in one plain loop, and what the original service answered."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from phytobatch import ClassifierRef, Result
from tests.acceptance.system import ROOT, System

TOLERANCE = 1e-5
REFERENCE = Path(__file__).with_name("keras_reference.py")
ORIGINAL_LABELS = ("saludable", "powdery", "rush")


def photographs(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})


def output_lines(*command: str | Path) -> list[str]:
    """The lines that a program printed, which ended well."""
    done = subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def assert_close(found: dict[str, float], expected: dict[str, float], name: str) -> None:
    assert found.keys() == expected.keys()
    worst = max(abs(found[label] - expected[label]) for label in expected)
    assert worst <= TOLERANCE, f"{name}: {worst}"


def test_the_sixty_validation_photographs_get_the_answers_of_a_plain_loop(quiet: System, real_data: Path) -> None:
    files = photographs(real_data / "leaves" / "apple-field" / "validation")
    assert len(files) == 60
    lines = [json.loads(line) for line in output_lines("-m", "worker.inference", "--json", *files)]
    plain = {line["file"]: line for line in lines}
    quiet.start_worker()
    results = answers_of_a_job(quiet, files)
    for file, result in zip(files, results, strict=True):
        expected = plain[str(file)]
        assert result.label == expected["label"], file.name
        assert_close(dict(result.probabilities or {}), expected["probabilities"], file.name)


@pytest.fixture(scope="module")
def original(system: System, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classifier of the original service, imported as a user of it would."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the original pickle opens only with Python 3.11, which wrote it")
    folder = tmp_path_factory.mktemp("classifier") / "original"
    joblib = real_data / "models" / "original-cnn" / "model.joblib"
    output_lines("-m", "worker.training", "import-joblib", joblib, "--out", folder, "--name", "original")
    system.admin("register-classifier", str(folder))
    return folder


def test_the_imported_original_answers_as_keras_does_through_predict_and_through_a_job(
    quiet: System, original: Path, real_data: Path
) -> None:
    files = photographs(real_data / "leaves-full-size") + photographs(
        real_data / "leaves" / "apple-field" / "validation"
    )
    assert len(files) == 70
    expected = [
        dict(zip(ORIGINAL_LABELS, json.loads(line), strict=True))
        for line in output_lines(REFERENCE, original / "model.keras", *files)
    ]
    quiet.start_worker(PHYTOBATCH_CLASSIFIER_DIR=str(original))
    for file, result, wanted in zip(files, answers_of_a_job(quiet, files, "original"), expected, strict=True):
        assert_close(dict(result.probabilities or {}), wanted, file.name)
    with quiet.client() as api:
        for file, wanted in zip(files, expected, strict=True):
            answer = api.predict(file, classifier=ClassifierRef("original"))
            best = max(wanted, key=lambda label: wanted[label])
            assert answer.predicted_class == best, file.name
            assert answer.confidence == pytest.approx(100 * wanted[best], abs=100 * TOLERANCE)
            assert_close(dict(answer.probabilities or {}), wanted, file.name)


def answers_of_a_job(system: System, files: Sequence[Path], classifier: str | None = None) -> list[Result]:
    """The results of one job, in the order of the files."""
    named = {} if classifier is None else {"classifier": ClassifierRef(classifier)}
    job_id = system.submit(list(files), **named)
    assert system.wait_for_end(job_id).state == "completed"
    return system.results(job_id)
