"""No secret is in the repository: detect-secrets over every tracked file, and what it finds is looked at here."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.contract.check_tools import ROOT, run

# Not what is shipped as text: hashes of locks, pictures, models. The tests and the manuals invent many secrets; there
# the search above finds what has the form of a real one.
EXCLUDED = r"deploy/locks/.*\.txt|.*\.(keras|onnx|png|jpg|jpeg|svg)|.*dashboards/.*\.json|tests/.*|docs/.*"
# Hashes are everywhere here, and a word like `secret` in front of a name is none.
OFF = ("HexHighEntropyString", "KeywordDetector")
REVIEWED = {
    "api/jobs/schemas.py": "the checksum of an example",
    "api/webhooks/schemas.py": "the secret of the specification's example",
    "deploy/local/postgres.py": "an address with a variable as its password",
    "shared/addresses/postgres.py": "the form of an address",
}
OURS = (
    re.compile(r"\bpb_[a-z0-9]{12}_[A-Za-z0-9]{43}\b"),
    re.compile(r"\bwhsec_[A-Za-z0-9+/]{32,}={0,2}"),
    re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}"),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\b(?:ghp|gho|github_pat|glpat|xox[bp])[-_][A-Za-z0-9_-]{20,}"),
)
# Published with a standard or made of one letter; they open nothing.
KNOWN = {
    "AKIAIOSFODNN7EXAMPLE",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def secrets_in(text: str) -> list[str]:
    found = [match[0] for pattern in OURS for match in pattern.finditer(text)]
    return [one for one in found if one not in KNOWN and len(set(one)) > 12]


def test_no_tracked_file_has_a_secret_of_ours_or_of_a_service() -> None:
    found = {}
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if secrets := secrets_in(text):
            found[path.relative_to(ROOT).as_posix()] = secrets
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "key = pb_" + "k3y9a8b7c6d5_" + "Zx8" * 13 + "QwErTy"[:4],
        "whsec_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cF2hJ",
        "AKIA" + "IOSFODNN7EXAMPLQ",
        "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF",
    ],
)
def test_the_search_would_find_one(text: str) -> None:
    assert secrets_in(text)


@pytest.mark.slow
def test_detect_secrets_finds_nothing_in_what_is_shipped() -> None:
    without = [word for name in OFF for word in ("--disable-plugin", name)]
    found = run("detect-secrets", "scan", "--exclude-files", EXCLUDED, *without)
    assert found.returncode == 0, found.stderr
    results = json.loads(found.stdout)["results"]
    places = [
        f"{name}:{one['line_number']} {one['type']}"
        for name, ones in results.items()
        if name not in REVIEWED
        for one in ones
    ]
    assert places == []


@pytest.mark.slow
def test_detect_secrets_would_find_one(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text('AWS_KEY = "AKIA' + 'IOSFODNN7EXAMPLQ"\n', encoding="utf-8")
    found = run("detect-secrets", "scan", "--all-files", ".", cwd=tmp_path)
    assert json.loads(found.stdout)["results"], found.stderr
