"""The chart and shared/settings.py agree, and secrets come from outside."""

import os
import re

import pytest

from shared.settings import ENV_PREFIX, Settings
from tests.contract.chart.known_settings import KNOWN, SECRETS, TAKEN
from tests.contract.chart.rendering import (
    CHART,
    EXAMPLES,
    RenderingRefused,
    containers,
    environment,
    of_kind,
    rendered,
    text,
    workloads,
)
from tests.contract.check_tools import run

pytestmark = pytest.mark.slow

# What Kubernetes puts in the place of a reference, where any word will not do.
FROM_THE_CLUSTER = {
    "PHYTOBATCH_DECODE_THREADS": "2",
    "PHYTOBATCH_DATABASE_URL": "postgresql://host/name",
    "PHYTOBATCH_REDIS_URL": "redis://host",
}


def test_config_takes_every_setting_that_is_no_secret_and_that_the_chart_leaves_open() -> None:
    listed = (CHART / "files" / "settings.txt").read_text(encoding="utf-8").split()
    assert listed == TAKEN, "python -m tests.contract.chart.known_settings > deploy/chart/files/settings.txt"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_variable_is_a_setting(example: str) -> None:
    used = {name for found in workloads(example).values() for c in containers(found) for name in names_of(c)}
    assert {name for name in used if name.startswith(ENV_PREFIX)} <= KNOWN


def names_of(container: dict[str, list[dict[str, str]]]) -> list[str]:
    return [entry["name"] for entry in container["env"]]


def test_the_templates_and_values_name_no_variable_that_is_no_setting() -> None:
    files = [CHART / "values.yaml", *CHART.glob("templates/*"), *CHART.glob("examples/*")]
    named = {name for file in files for name in re.findall(r"PHYTOBATCH_[A-Z0-9_]*[A-Z0-9]", file.read_text("utf-8"))}
    assert named <= KNOWN


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_variable_is_set_twice(example: str) -> None:
    for found in workloads(example).values():
        for container in containers(found):
            assert len(names_of(container)) == len(set(names_of(container)))


@pytest.mark.parametrize("example", EXAMPLES)
def test_secrets_come_from_the_secret_alone(example: str) -> None:
    for found in workloads(example).values():
        for name, value in environment(found).items():
            if name in SECRETS:
                assert value["secretKeyRef"]["name"] == "phytobatch"
                assert value["secretKeyRef"]["key"] == name


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_chart_makes_no_secret(example: str) -> None:
    assert not [manifest for manifest in rendered(example) if manifest["kind"] == "Secret"]
    assert not re.search(r"postgresql\+psycopg://|rediss?://", text(example))


def test_every_secret_of_the_settings_reaches_the_program_that_needs_it() -> None:
    reached = {
        name: sorted(program for program, found in workloads("minimal").items() if name in environment(found))
        for name in SECRETS
    }
    everybody = ["api", "beat", "deliverer", "migration", "worker"]
    store = ["api", "migration", "worker"]
    assert reached == {
        "PHYTOBATCH_DATABASE_URL": everybody,
        "PHYTOBATCH_REDIS_URL": everybody,
        "PHYTOBATCH_S3_ACCESS_KEY_ID": store,
        "PHYTOBATCH_S3_SECRET_ACCESS_KEY": store,
        "PHYTOBATCH_BOOTSTRAP_API_KEY": ["api"],
    }


@pytest.mark.parametrize(
    "given", ["config.PHYTOBATCH_DATABASE_URL", "beat.config.PHYTOBATCH_LOGLEVEL", "worker.config.PHYTOBATCH_API_PORT"]
)
def test_config_refuses_secrets_misspellings_and_what_the_chart_decides(given: str) -> None:
    with pytest.raises(RenderingRefused, match=f"{given.rsplit('.', 1)[1]}: not a setting that belongs here"):
        text("minimal", f"{given}=x")


def test_a_number_that_is_no_text_is_refused_before_kubernetes_does_it() -> None:
    done = run("helm", "template", CHART, "--set", "existingSecret=x,config.PHYTOBATCH_WORKER_SLOTS=3")
    assert done.returncode != 0
    assert "got number, want string" in done.stderr


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_program_starts_with_the_settings_that_it_gets(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        monkeypatch.delenv(name)
    for found in workloads(example).values():
        with monkeypatch.context() as pod:
            for name, value in environment(found).items():
                pod.setenv(name, value if isinstance(value, str) else FROM_THE_CLUSTER.get(name, "secret"))
            settings = Settings()
        assert settings.s3_bucket == "phytobatch"
        assert settings.decode_workers >= 1


def test_what_a_program_says_for_itself_wins_over_what_all_have() -> None:
    found = workloads("minimal", "config.PHYTOBATCH_LOG_LEVEL=INFO", "deliverer.config.PHYTOBATCH_LOG_LEVEL=DEBUG")
    said = {name: environment(program)["PHYTOBATCH_LOG_LEVEL"] for name, program in found.items()}
    assert said == {"api": "INFO", "beat": "INFO", "deliverer": "DEBUG", "migration": "INFO", "worker": "INFO"}


def test_links_in_webhooks_lead_to_the_ingress() -> None:
    url = environment(workloads("locked-down")["deliverer"])["PHYTOBATCH_PUBLIC_URL"]
    assert url == "https://phytobatch.example.org"
    below = workloads("locked-down", "ingress.path=/phyto")["api"]
    assert environment(below)["PHYTOBATCH_PUBLIC_URL"] == "https://phytobatch.example.org/phyto"
    (found,) = of_kind("Ingress", "locked-down", "ingress.path=/phyto").values()
    assert found["spec"]["rules"][0]["http"]["paths"][0]["path"] == "/phyto"
    own = workloads("locked-down", "config.PHYTOBATCH_PUBLIC_URL=https://elsewhere.example.org")["deliverer"]
    assert environment(own)["PHYTOBATCH_PUBLIC_URL"] == "https://elsewhere.example.org"


def test_a_worker_decodes_as_many_images_at_a_time_as_it_has_processors() -> None:
    worker = workloads("minimal")["worker"]
    assert environment(worker)["PHYTOBATCH_DECODE_THREADS"]["resourceFieldRef"]["resource"] == "limits.cpu"
    own = workloads("minimal", "worker.config.PHYTOBATCH_DECODE_THREADS=7")["worker"]
    assert environment(own)["PHYTOBATCH_DECODE_THREADS"] == "7"


def test_workers_serve_the_classifiers_that_the_values_name() -> None:
    assert environment(workloads("minimal")["worker"])["PHYTOBATCH_CLASSIFIERS"] == ""
    assert environment(workloads("gpu")["worker-gpu"])["PHYTOBATCH_CLASSIFIERS"] == "leaf@1,vine@3"


@pytest.mark.parametrize(
    ("values", "classifiers"),
    [
        ((), "leaf@1,vine@3"),
        (("worker.classifiers={a@1}", "workerGpu.classifiers={a@1,b@2}"), "a@1,b@2"),
        (("worker.classifiers=[]",), ""),
        (("worker.classifiers=[]", "worker.enabled=false"), "leaf@1,vine@3"),
    ],
)
def test_the_migration_makes_the_shipped_classifier_the_default_only_where_workers_serve_it(
    values: tuple[str, ...], classifiers: str
) -> None:
    """``prepare`` makes it the default where PHYTOBATCH_CLASSIFIERS is empty."""
    assert environment(workloads("gpu", *values)["migration"])["PHYTOBATCH_CLASSIFIERS"] == classifiers
