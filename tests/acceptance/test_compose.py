"""docker-compose.yml in the hands of Docker itself.

What needs the command alone runs wherever there is one. The whole host, with our images, runs where it is asked for:
``make images && PHYTOBATCH_COMPOSE_TEST=1 pytest tests/acceptance/test_compose.py`` (two minutes).
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.compose.__main__ import main as make_secrets
from deploy.local.ports import free_port
from deploy.local.synthetic.folder import write_set
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
PROJECT = "phytobatch-test"
SECONDS = 300
IMAGES = 12
NONE: Mapping[str, str] = {}


def docker(
    *arguments: str, env_file: Path, files: tuple[str, ...] = (), variables: Mapping[str, str] = NONE
) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PHYTOBATCH_", "COMPOSE_"))
    }
    chosen = [part for file in ("docker-compose.yml", *files) for part in ("--file", file)]
    return subprocess.run(
        ["docker", "compose", "--env-file", str(env_file), "--project-name", PROJECT, *chosen, *arguments],
        cwd=ROOT,
        env={**environment, "PHYTOBATCH_ENV_FILE": str(env_file), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    found = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False, timeout=PATIENCE_SECONDS)
    return found.returncode == 0


needs_compose = pytest.mark.skipif(not has_compose(), reason="there is no `docker compose` here")


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    target = tmp_path / ".env"
    make_secrets(["--out", str(target)])
    return target


def configured(
    env_file: Path, *arguments: str, files: tuple[str, ...] = (), variables: Mapping[str, str] = NONE
) -> dict[str, Any]:
    done = docker(*arguments, "config", "--format", "json", env_file=env_file, files=files, variables=variables)
    assert done.returncode == 0, done.stderr
    services: dict[str, Any] = json.loads(done.stdout)["services"]
    return services


@needs_compose
def test_without_secrets_compose_says_which_command_makes_them(tmp_path: Path) -> None:
    empty = tmp_path / ".env"
    empty.touch()
    done = docker("config", "--quiet", env_file=empty)
    assert done.returncode != 0
    assert "PHYTOBATCH_POSTGRES_PASSWORD" in done.stderr
    assert "python3 -m deploy.compose" in done.stderr


@needs_compose
def test_the_profiles_add_what_they_are_named_for(env_file: Path) -> None:
    plain = set(configured(env_file))
    assert {"proxy", "api", "worker", "beat", "deliverer", "postgres", "valkey", "objects"} <= plain
    assert set(configured(env_file, "--profile", "gpu")) - plain == {"worker-gpu"}
    assert set(configured(env_file, "--profile", "observe")) - plain == {
        "alertmanager",
        "grafana",
        "monitor",
        "node",
        "postgres-exporter",
        "prometheus",
        "valkey-exporter",
    }


@needs_compose
def test_urls_have_the_port_where_it_is_not_the_usual_one(env_file: Path) -> None:
    usual = configured(env_file, variables={"PHYTOBATCH_HOST": "plants.example.org"})["api"]["environment"]
    assert usual["PHYTOBATCH_PUBLIC_URL"] == "https://plants.example.org"
    other = configured(env_file, variables={"PHYTOBATCH_HTTPS_PORT": "8443"})["api"]["environment"]
    assert other["PHYTOBATCH_S3_PUBLIC_ENDPOINT_URL"] == "https://localhost:8443"


@needs_compose
@pytest.mark.parametrize(
    ("what", "ours", "url"),
    [
        ("postgres", "postgres", {"PHYTOBATCH_DATABASE_URL": "postgresql+psycopg://a:b@db.example.org/c"}),
        ("redis", "valkey", {"PHYTOBATCH_REDIS_URL": "rediss://:a@redis.example.org:6379/0"}),
        ("s3", "objects", {"PHYTOBATCH_S3_ENDPOINT_URL": "https://s3.example.org"}),
    ],
)
def test_a_server_of_the_operator_takes_the_place_of_ours(
    env_file: Path, what: str, ours: str, url: dict[str, str]
) -> None:
    services = configured(env_file, files=(f"deploy/compose/external-{what}.yml",), variables=url)
    assert ours not in services
    assert url.items() <= services["worker"]["environment"].items()


@pytest.fixture
def host(env_file: Path) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """The whole host on ports of its own; its folders and volumes go away with it."""
    ports = {"PHYTOBATCH_HTTP_PORT": str(free_port()), "PHYTOBATCH_HTTPS_PORT": str(free_port())}
    try:
        done = docker("up", "--detach", "--no-build", "--wait", env_file=env_file, variables=ports)
        assert done.returncode == 0, done.stderr[-3000:]
        yield env_file, f"https://localhost:{ports['PHYTOBATCH_HTTPS_PORT']}", ports
    finally:
        docker("down", "--volumes", "--timeout", "30", env_file=env_file, variables=ports)


@needs_compose
@pytest.mark.skipif(
    "PHYTOBATCH_COMPOSE_TEST" not in os.environ, reason="needs our images: set PHYTOBATCH_COMPOSE_TEST=1"
)
@pytest.mark.timeout(3 * SECONDS)
def test_photographs_go_through_the_proxy_and_survive_a_killed_worker(
    host: tuple[Path, str, dict[str, str]], tmp_path: Path
) -> None:
    env_file, url, ports = host
    authority = tmp_path / "authority.crt"
    docker("cp", "proxy:/data/caddy/pki/authorities/local/root.crt", str(authority), env_file=env_file, variables=ports)
    write_set(tmp_path / "photos", IMAGES, seed=0, size=(640, 480))
    docker("kill", "worker", env_file=env_file, variables=ports)
    key = dict(line.split("=", 1) for line in env_file.read_text().splitlines() if line.startswith("PHYTOBATCH_BOOT"))
    client = subprocess.Popen(
        [sys.executable, "-m", "phytobatch", "submit", str(tmp_path / "photos"), "--watch", "--json"],
        env={
            **os.environ,
            "PHYTOBATCH_URL": url,
            "PHYTOBATCH_API_KEY": key["PHYTOBATCH_BOOTSTRAP_API_KEY"],
            "SSL_CERT_FILE": str(authority),
            "XDG_STATE_HOME": str(tmp_path / "state"),
        },
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    done = docker("up", "--detach", "--no-build", "--wait", env_file=env_file, variables=ports)
    assert done.returncode == 0, done.stderr[-3000:]
    said, _ = client.communicate(timeout=SECONDS)
    assert client.returncode == 0, said
    assert json.loads(said.splitlines()[-1])["job"]["counts"]["succeeded"] == IMAGES


@needs_compose
@pytest.mark.skipif(
    "PHYTOBATCH_COMPOSE_TEST" not in os.environ, reason="needs our images: set PHYTOBATCH_COMPOSE_TEST=1"
)
@pytest.mark.timeout(3 * SECONDS)
def test_no_port_inside_answers_without_a_key(host: tuple[Path, str, dict[str, str]]) -> None:
    """Every port of every data store, from every network that it shares with one of our programs or the proxy."""
    env_file, _, ports = host
    services = configured(env_file, variables=ports)
    image = services["api"]["image"]
    asker = ROOT / "tests" / "integration" / "security" / "unkeyed.py"
    for store, one in (("postgres", 5432), ("valkey", 6379), ("objects", 8333)):
        for network in services[store]["networks"]:
            if network.startswith("watch-"):
                continue  # of Prometheus and the exporters alone: measurements have no key
            command = ["docker", "run", "--rm", "--interactive", "--network", f"{PROJECT}_{network}"]
            with asker.open("rb") as program:
                done = subprocess.run(
                    [*command, "--entrypoint", "python", image, "-", store, "1-65535"],
                    stdin=program,
                    capture_output=True,
                    check=True,
                    timeout=SECONDS,
                )
            found = json.loads(done.stdout)
            assert one in found["listening"]
            assert found["shown"] == {}, f"{store} from {network}"
