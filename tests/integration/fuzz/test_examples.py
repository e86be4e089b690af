"""A minute's share of `make fuzz`: every call by its examples, and every answer as the OpenAPI document says."""

from pathlib import Path

from shared.contracts.states import Scope
from tests.contract.check_tools import ROOT, run
from tests.integration.conftest import Api, MakeKey

CONFIGURATION = ROOT / "tests" / "fuzz" / "schemathesis.toml"


def test_every_answer_is_documented(anonymous: Api, make_key: MakeKey, tmp_path: Path) -> None:
    key = ("--header", f"X-API-Key: {make_key(None, Scope.ADMIN)}")
    done = run(
        "schemathesis",
        *("--config-file", CONFIGURATION, "run", f"{anonymous.base}/openapi.json", *key),
        *("--phases", "examples", "--checks", "all", "--seed", "1", "--max-time", "30", "--no-color"),
        *("--generation-database", "none", "--warnings", "off", "--exclude-operation-id", "predict"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert "Tested: " in done.stdout
