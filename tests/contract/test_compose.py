"""docker-compose.yml, .env.example, the proxy's file and the manual say the same, and nothing is left open."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it publishes no types

from deploy.compose.__main__ import NEXT
from deploy.local.objects import FLAGS
from deploy.mutual_tls import write as write_certificate
from shared.settings import ENV_PREFIX, EXAMPLE_SECRET, Settings

ROOT = Path(__file__).parents[2]
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
PROXY = (ROOT / "deploy" / "proxy" / "Caddyfile").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
MANUAL = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

ONCE = {"settings", "prepare", "backup"}
ONCE_OF_OTHERS = {"monitor"}
EXPORTERS = {"postgres-exporter", "valkey-exporter", "node"}
STORES = {"postgres", "valkey", "objects"}
PROGRAMS = {"api", "worker", "worker-gpu", "beat", "deliverer", "backups"}
USED = set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", COMPOSE_TEXT))
OFFERED = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", EXAMPLE, re.MULTILINE))
SETTINGS = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}
# Read by `docker compose` itself.
OF_COMPOSE = {"COMPOSE_FILE"}
OURS = re.compile(r"\$\{PHYTOBATCH_IMAGES:-\}phytobatch-(\w+):\$\{PHYTOBATCH_VERSION:-(.+)\}")

lasting = pytest.mark.parametrize("name", sorted(set(SERVICES) - ONCE - ONCE_OF_OTHERS))
every = pytest.mark.parametrize("name", sorted(SERVICES))


class Overriding(yaml.SafeLoader):  # type: ignore[misc]  # it publishes no types
    """YAML of Compose that goes over other YAML: `!override` takes the place of a list, and does not add to it."""


class Instead(list[str]):
    """A list that takes the place of the one below it."""


Overriding.add_constructor("!override", lambda loader, node: Instead(loader.construct_sequence(node)))


def overriding(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), Overriding)  # noqa: S506  # a safe loader
    return found


def limits(name: str) -> dict[str, Any]:
    found: dict[str, Any] = SERVICES[name]["deploy"]["resources"]["limits"]
    return found


def internal(network: str) -> bool:
    return bool(COMPOSE["networks"][network].get("internal"))


def test_the_example_offers_every_variable_and_none_that_nobody_reads() -> None:
    assert set() == USED - OFFERED
    assert OFFERED - USED - SETTINGS == OF_COMPOSE


def test_every_variable_has_its_line_in_the_manual() -> None:
    assert {name for name in OFFERED | USED if f"`{name}`" not in MANUAL} == set()


def test_the_proxy_reads_what_compose_gives_it() -> None:
    assert set(re.findall(r"\{\$([A-Z0-9_]+)", PROXY)) == set(SERVICES["proxy"]["environment"])


@pytest.mark.parametrize("name", sorted(PROGRAMS | ONCE))
def test_what_compose_tells_a_program_is_a_setting_of_it(name: str) -> None:
    assert set(SERVICES[name]["environment"]) - SETTINGS == set()


def test_every_secret_of_the_example_is_one_that_no_program_starts_with() -> None:
    secrets = re.findall(r"^(PHYTOBATCH_\w*(?:PASSWORD|KEY_ID|SECRET_ACCESS_KEY|API_KEY))=(.*)$", EXAMPLE, re.MULTILINE)
    assert len(secrets) == 7
    assert {value for _, value in secrets} == {EXAMPLE_SECRET}


def test_what_is_missing_stops_compose_before_anything_starts() -> None:
    needed = set(re.findall(r"\$\{(\w+):\?", COMPOSE_TEXT))
    command = SERVICES["settings"]["command"]
    asked_for = {name for option, name in pairwise(command) if option == "--require"}
    assert needed | asked_for == {
        name for name, value in re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE) if value == EXAMPLE_SECRET
    }


def test_an_empty_variable_is_an_absent_one() -> None:
    assert re.findall(r"\$\{\w+[-?+]", COMPOSE_TEXT) == []


def rendered(*files: str, **variables: str) -> dict[str, Any]:
    """Return the services of the files and a ``.env`` with these variables; other secrets are there."""
    given = dict.fromkeys(re.findall(r"\$\{(\w+):\?", COMPOSE_TEXT), "secret") | variables
    with tempfile.NamedTemporaryFile("w", suffix=".env") as env:
        env.writelines(f"{name}={value}\n" for name, value in given.items())
        env.flush()
        named = [word for file in ("docker-compose.yml", *files) for word in ("--file", file)]
        command = ["docker", "compose", "--env-file", env.name, *named, "--profile", "*", "config", "--format", "json"]
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        # Of the programs' own file Compose takes what stands in it, and in the checkout there may be one.
        done = subprocess.run(
            command, cwd=ROOT, env={**kept, "PHYTOBATCH_ENV_FILE": env.name}, capture_output=True, text=True, check=True
        )
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


def has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


with_compose = pytest.mark.skipif(not has_compose(), reason="no docker compose here")


@with_compose
@pytest.mark.parametrize("empty", [{}, {"PHYTOBATCH_S3_ENDPOINT_URL": "", "PHYTOBATCH_S3_ACCESS_KEY_ID": ""}])
def test_aws_needs_neither_an_endpoint_nor_keys(empty: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    services = rendered("deploy/compose/external-s3.yml", PHYTOBATCH_S3_REGION="eu-central-1", **empty)
    assert services["objects"]["profiles"] == ["not-used"]
    assert "--require" not in services["settings"]["command"]
    for name in PROGRAMS | ONCE:
        with monkeypatch.context() as program:
            for variable in SETTINGS:
                program.delenv(variable, raising=False)
            for variable, value in services[name]["environment"].items():
                program.setenv(variable, value)
            settings = Settings()
        assert (settings.s3_endpoint_url, settings.presign_endpoint_url) == (None, None)
        assert (settings.s3_access_key_id, settings.s3_secret_access_key) == (None, None)
        assert settings.s3_region == "eu-central-1"


@with_compose
def test_without_the_file_for_it_an_empty_endpoint_is_our_own_store() -> None:
    for given in ({}, {"PHYTOBATCH_S3_ENDPOINT_URL": "", "PHYTOBATCH_S3_PUBLIC_ENDPOINT_URL": ""}):
        told = rendered(PHYTOBATCH_HOST="plants.example.org", **given)["api"]["environment"]
        assert told["PHYTOBATCH_S3_ENDPOINT_URL"] == "http://objects:8333"
        assert told["PHYTOBATCH_S3_PUBLIC_ENDPOINT_URL"] == "https://plants.example.org"


@every
def test_a_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert set(limits(name)) == {"memory", "cpus", "pids"}
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


@lasting
def test_a_service_that_lasts_comes_back_and_is_looked_after(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert "test" in service["healthcheck"]
    assert "start_period" in service["healthcheck"]
    assert "stop_grace_period" in service


def test_the_one_door_is_the_proxy_and_operators_look_from_the_host_itself() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy", "grafana"}
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["grafana"]["ports"])
    # Docker relays IPv6 from an address of its own, which the list of networks would take for a client's.
    assert all(port.startswith("${PHYTOBATCH_BIND:-0.0.0.0}:") for port in SERVICES["proxy"]["ports"])


@pytest.mark.parametrize("name", sorted(STORES))
def test_a_data_store_is_on_internal_networks_alone(name: str) -> None:
    assert all(internal(network) for network in SERVICES[name]["networks"])


def test_the_proxy_reaches_neither_the_database_nor_the_queue_nor_metrics() -> None:
    assert not {"data", "metrics", "outside"} & set(SERVICES["proxy"]["networks"])


def networks_of(name: str) -> set[str]:
    return set(SERVICES[name]["networks"])


def listening_names() -> dict[str, str]:
    """The names that lead to a service in one network alone, and that network."""
    return {
        alias: network
        for service in SERVICES.values()
        if isinstance(service["networks"], dict)
        for network, options in service["networks"].items()
        for alias in (options or {}).get("aliases", ())
        if alias.endswith("-watch")
    }


def test_metrics_are_served_in_networks_that_prometheus_shares() -> None:
    watched = listening_names()
    assert set(watched) == {
        f"{name}-watch"
        for name in (
            *("prometheus", "postgres", "valkey", "objects", "proxy", "alertmanager"),
            *("api", "worker", "beat", "deliverer"),
        )
    }
    asked = (ROOT / "deploy" / "observe" / "prometheus.yml").read_text(encoding="utf-8")
    for name, network in watched.items():
        assert internal(network), name
        assert network in networks_of("prometheus"), name
        assert f"[{name}]" in asked or f'"{name}:' in asked, name
    assert {network for network in networks_of("prometheus") if not internal(network)} == set()


def test_what_has_no_key_listens_where_prometheus_is_and_nowhere_else() -> None:
    """A name that leads to one network is an address to listen on; `:9187` would be open in every other network too."""
    watched = set(listening_names())
    for name in ("prometheus", "postgres-exporter", "valkey-exporter", "alertmanager"):
        service = SERVICES[name]
        told = " ".join([*service.get("command", ()), *service.get("environment", {}).values()])
        assert [alias for alias in watched if f"={alias}:" in told or told.endswith(f"{alias}:9121")], name
    assert SERVICES["proxy"]["environment"]["PROXY_METRICS_HOST"] in watched
    assert re.search(r"bind \{\$PROXY_METRICS_HOST:127\.0\.0\.1\}\n\tmetrics ", PROXY)
    script = (ROOT / "deploy" / "compose" / "objects.sh").read_text(encoding="utf-8")
    assert "getent hosts objects-watch" in script
    assert '-metricsPort=9327 "-metricsIp=$watched"' in script
    assert networks_of("node") == {"metrics"}


@pytest.mark.parametrize("name", sorted(PROGRAMS - {"backups"}))
def test_a_program_serves_its_metrics_in_the_network_of_prometheus_alone(name: str) -> None:
    host = SERVICES[name]["environment"]["PHYTOBATCH_METRICS_HOST"]
    assert listening_names()[host] == "metrics"
    assert host in SERVICES[name]["networks"]["metrics"]["aliases"]


def test_who_sends_alerts_has_a_way_out_and_nobody_else_is_there() -> None:
    assert {name for name, service in SERVICES.items() if "alerts" in service["networks"]} == {"alertmanager"}
    assert not internal("alerts")


@pytest.mark.parametrize("name", sorted(EXPORTERS | {"prometheus", "alertmanager"}))
def test_who_watches_gets_no_secret_of_the_programs(name: str) -> None:
    given = str(SERVICES[name].get("environment", {}))
    assert not re.search(r"PHYTOBATCH_(POSTGRES|REDIS|S3|BOOTSTRAP|DATABASE)", given)
    assert SERVICES[name]["profiles"] == ["observe"]
    assert "cap_add" not in SERVICES[name]


def test_data_lies_on_volumes() -> None:
    for name in STORES:
        assert any(str(mount).startswith(f"{name}:") for mount in SERVICES[name]["volumes"])
        assert name in COMPOSE["volumes"]


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_waits_for_the_preparation(name: str) -> None:
    assert SERVICES[name]["depends_on"]["prepare"]["condition"] == "service_completed_successfully"


@pytest.mark.parametrize("name", sorted(STORES | {"prepare", "grafana"}))
def test_nothing_is_written_before_the_settings_were_checked(name: str) -> None:
    assert SERVICES[name]["depends_on"]["settings"]["condition"] == "service_completed_successfully"


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_server_may_be_another_so_nobody_insists_on_ours(name: str) -> None:
    assert all(SERVICES[name]["depends_on"][store]["required"] is False for store in STORES)
    overrides = {file.stem: overriding(file) for file in ROOT.glob("deploy/compose/external-*.yml")}
    off = {name for file in overrides.values() for name, told in file["services"].items() if "profiles" in told}
    assert off == STORES | {"monitor", "postgres-exporter", "valkey-exporter"}
    # Whoever speaks to our object store is told that it is another one.
    assert PROGRAMS | ONCE | {"objects"} == set(overrides["external-s3"]["services"])
    assert all(f"deploy/compose/{stem}.yml" in EXAMPLE for stem in overrides)
    for override in overrides.values():
        for store, service in override["services"].items():
            # Compose adds a profile to those that are there, and then the service starts with either.
            assert service.get("profiles", ["not-used"]) == ["not-used"]
            if "profiles" in service:
                assert isinstance(service["profiles"], Instead) == ("profiles" in SERVICES[store]), store


@pytest.mark.parametrize("name", ["api", "worker", "worker-gpu", "deliverer"])
def test_a_program_has_longer_to_stop_than_it_takes_at_most(name: str) -> None:
    grace = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
    assert grace > Settings.model_fields["shutdown_seconds"].default + 10


def test_our_images_are_targets_of_the_dockerfile_in_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    targets = set(re.findall(r"^FROM base AS (\S+)", DOCKERFILE, re.MULTILINE))
    for name in PROGRAMS | ONCE:
        found = re.fullmatch(
            r"\$\{PHYTOBATCH_IMAGES:-\}phytobatch-(\w+):\$\{PHYTOBATCH_VERSION:-(.+)\}", SERVICES[name]["image"]
        )
        assert found, name
        assert found[1] in targets
        assert found[2] == version
        # Everywhere, also where two have the same image: Compose would look for the other's in a registry.
        assert SERVICES[name]["build"]["target"] == found[1]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - PROGRAMS - ONCE))
def test_an_image_of_others_is_named_with_its_version(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9/_-]+:v?\d+(\.\d+)*(-[a-z]+)?", SERVICES[name]["image"])


def test_a_gpu_is_asked_for_where_the_profile_is() -> None:
    (device,) = SERVICES["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert SERVICES["worker-gpu"]["profiles"] == ["gpu"]
    assert device["capabilities"] == ["gpu"]


def test_what_is_mounted_from_here_is_here() -> None:
    mounted = {
        str(mount).split(":")[0]
        for service in SERVICES.values()
        for mount in service.get("volumes", ())
        if str(mount).startswith("./")
    }
    assert mounted
    assert [path for path in mounted if not (ROOT / path).exists()] == []


def test_images_start_without_rights_and_with_a_first_process_that_reaps() -> None:
    base = DOCKERFILE.split(" AS base\n")[1].split("\nFROM ")[0]
    assert "USER 10001:10001" in base
    assert 'ENTRYPOINT ["tini", "--"]' in base
    for label in ("version", "revision", "created", "source"):
        assert f"org.opencontainers.image.{label}=" in base


def test_every_image_has_a_healthcheck() -> None:
    parts = re.split(r"^FROM base AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)[1:]
    for target, text in zip(parts[::2], parts[1::2], strict=True):
        assert "HEALTHCHECK" in text.split("\nFROM ")[0], target


def test_the_dockerfile_is_one_that_the_classic_builder_reads() -> None:
    lines = [line for line in DOCKERFILE.splitlines() if not line.startswith("#")]
    assert not [line for line in lines if "--mount" in line or "<<" in line]
    # It builds every stage above the one that was asked for: gigabytes of CUDA must not stand above the others.
    assert re.findall(r"^FROM base AS (\S+)", DOCKERFILE, re.MULTILINE)[-1] == "gpu"


def test_the_object_store_starts_with_its_certificate_or_not_at_all(tmp_path: Path) -> None:
    """Without it SeaweedFS would start as well, and give every photograph to whoever reaches its other ports."""
    assert "certificate:/certificate" in SERVICES["settings"]["volumes"]
    assert "certificate:/certificate:ro" in SERVICES["objects"]["volumes"]
    assert "certificate" in COMPOSE["volumes"]
    script = tmp_path / "objects.sh"
    text = (ROOT / "deploy" / "compose" / "objects.sh").read_text(encoding="utf-8")
    script.write_text(text.replace("/certificate/", f"{tmp_path}/").replace("exec weed", "echo started; true weed"))
    script.write_text(script.read_text().replace("cd /certificate", f"cd {tmp_path}").replace("/data/", f"{tmp_path}/"))
    keys = {"PATH": os.defpath, "S3_ACCESS_KEY_ID": "k", "S3_SECRET_ACCESS_KEY": "s"}

    def start() -> subprocess.CompletedProcess[str]:
        return subprocess.run(["/bin/sh", str(script)], env=keys, capture_output=True, text=True, check=False)

    assert start().returncode == 1
    write_certificate(tmp_path)
    assert start().stdout == "started\n"
    (tmp_path / "security.toml").write_text("")
    refused = start()
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "security.toml is missing" in refused.stderr


def test_settings_are_read_again_where_one_of_them_or_the_program_changed(tmp_path: Path) -> None:
    """Compose runs this for each service that somebody starts: what was found good costs no time."""
    program, python = tmp_path / "installed" / "programs" / "api" / "main.py", tmp_path / "python"
    program.parent.mkdir(parents=True)
    (tmp_path / "installed" / "lib" / "python3.11" / "site-packages" / "redis-6.4.0.dist-info").mkdir(parents=True)
    program.write_text("app = 1\n")
    python.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\ntest -z "$PHYTOBATCH_WRONG"\n')
    python.chmod(0o700)
    text = (ROOT / "deploy" / "compose" / "settings.sh").read_text(encoding="utf-8")
    text = text.replace("/opt/phytobatch", str(tmp_path / "installed")).replace("/certificate", str(tmp_path))

    def run(**variables: str) -> tuple[int, list[str]]:
        """Exit status, and what Python was asked to do."""
        (tmp_path / "calls").write_text("")
        path = f"{tmp_path}:{os.defpath}"
        done = subprocess.run(["/bin/sh", "-c", text], env={"PATH": path, **variables}, check=False)
        return done.returncode, (tmp_path / "calls").read_text().splitlines()

    both = ["-m api.admin check-settings", f"-m deploy.mutual_tls {tmp_path}"]
    assert run(PHYTOBATCH_A="1") == (0, both)
    assert run(PHYTOBATCH_A="1", HOSTNAME="another") == (0, [])
    assert run(PHYTOBATCH_A="2") == (0, both)
    program.write_text("app = 2\n")
    assert run(PHYTOBATCH_A="2") == (0, both)
    assert run(PHYTOBATCH_WRONG="1") == (1, both[:1])
    assert run(PHYTOBATCH_WRONG="1") == (1, both[:1]), "what was refused stays refused"


def test_the_host_is_mounted_as_any_host_can_be() -> None:
    """``rslave`` is refused where ``/`` is a private mount."""
    assert SERVICES["node"]["volumes"] == ["/:/host:ro"]


def test_the_command_that_makes_the_secrets_says_what_the_manual_says_next() -> None:
    page = (ROOT / "docs" / "installation.md").read_text(encoding="utf-8")
    steps = page.split("python3 -m deploy.compose ", 1)[1].split("\n", 3)[1:3]
    assert ", then ".join(steps) == NEXT


def test_the_object_store_has_the_flags_of_the_local_one() -> None:
    script = (ROOT / "deploy" / "compose" / "objects.sh").read_text(encoding="utf-8")
    wanted = {flag for flag in FLAGS if "Socket=" not in flag}  # Where its sockets lie is a matter of the container.
    assert wanted <= set(script.split())
