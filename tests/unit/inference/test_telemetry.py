"""ONNX Runtime tells nobody what it runs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CODE = (
    "from worker.inference.onnx_classifier import import_onnxruntime; import_onnxruntime(); "
    "import os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
)


def test_its_telemetry_is_off_whatever_the_environment_says() -> None:
    environment = {"PATH": os.environ["PATH"], "ORT_DISABLE_TELEMETRY": "0"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1"


def test_it_is_imported_in_one_place() -> None:
    """Whoever imports it elsewhere first would leave the telemetry on."""
    files = [path for folder in ("api", "shared", "worker") for path in (ROOT / folder).rglob("*.py")]
    importing = [path.name for path in files if "import onnxruntime\n" in path.read_text(encoding="utf-8")]
    assert importing == ["onnx_classifier.py"]
