"""``python -m tests.benchmarks.api``: requests a second of one API process, beside a server that repeats its bytes.

The floor is FastAPI on uvicorn in a process of its own, which answers from memory what the API had answered: no key, no
database, no JSON to make. Four clients ask over connections that they keep, first the one and then the other, in turns.
"""

import argparse
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from statistics import quantiles
from urllib.parse import urlsplit

import psutil
import urllib3

from deploy.local.ports import free_port
from phytobatch import ImageSpec
from tests.acceptance.system import System
from tests.benchmarks.api_clients import Question, ask
from tests.benchmarks.creating import processor
from tests.benchmarks.figures import Figures
from tests.benchmarks.throughput import production_system

RESULTS = 20_000
JOBS = 2_000
PAGE = 1000
CLIENTS = 4
START_SECONDS = 30.0
WARM_SECONDS = 0.5

FILL = """
    WITH tenant AS (SELECT id FROM tenants LIMIT 1),
    classifier AS (SELECT id FROM classifiers LIMIT 1),
    job AS (
        INSERT INTO jobs (id, tenant_id, name, priority, state, total, succeeded, last_position, classifier_id,
                          committed_at, started_at)
        SELECT %(job)s, tenant.id, 'large', 'bulk', 'running', %(images)s + 1, %(images)s, %(images)s, classifier.id,
               now() - interval '1 hour', now() - interval '1 hour'
        FROM tenant, classifier RETURNING id),
    named AS (
        INSERT INTO images (job_id, seq, name, size, object_key)
        SELECT job.id, n, 'flight/' || n || '.jpg', 2000000, 'uploads/' || n
        FROM job, generate_series(1, %(images)s) AS n RETURNING job_id, seq)
    INSERT INTO results (job_id, seq, position, status, label, confidence, probabilities, needs_review, runtime,
                         classifier_id, latitude, longitude)
    SELECT job_id, seq, seq, 'succeeded', 'rust', 0.9, '{0.04, 0.06, 0.9}', false, 'onnxruntime', classifier.id,
           47.99 + seq * 1e-6, 7.84
    FROM named, classifier
"""
OTHERS = """
    INSERT INTO jobs (id, tenant_id, name, priority, state, total, succeeded, classifier_id, committed_at, started_at,
                      finished_at)
    SELECT gen_random_uuid(), tenant.id, 'job ' || n, 'bulk', 'completed', 100, 100, classifier.id, now(), now(), now()
    FROM (SELECT id FROM tenants LIMIT 1) AS tenant, (SELECT id FROM classifiers LIMIT 1) AS classifier,
         generate_series(1, %s) AS n
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each question, in each round, of each server")
    asked = parser.parse_args()
    figures = Figures("api", f"requests a second of one API process, {CLIENTS} clients")
    with production_system() as system:
        pid = unhindered(system)
        questions = prepare(system)
        servers = (Server("API", system.url, pid), floor(system, questions.values()))
        for name, question in questions.items():
            compare(figures, name, question, servers, Effort(system.api_key, asked.rounds, asked.seconds))
    figures.keep()


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two that are asked."""

    name: str
    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Effort:
    """How, and how long, each is asked."""

    key: str
    rounds: int
    seconds: float


def unhindered(system: System) -> int:
    """Start the API again, so that it counts the requests of a key, as always, and refuses none; its process id."""
    for child in [one for one in system.children if one.program.name == "api"]:
        child.stop()
        system.children.remove(child)
    system.environment["PHYTOBATCH_REQUESTS_PER_MINUTE"] = "10000000"
    return system.start_api().pid


def prepare(system: System) -> dict[str, Question]:
    """Fill the database, and say what is asked."""
    job_id = str(uuid.uuid4())
    with system.sql() as sql:
        sql.execute(FILL, {"job": job_id, "images": RESULTS})
        sql.execute(OTHERS, [JOBS])
        sql.execute("ANALYZE")
    with system.client() as client:
        draft = client.create_job(name="draft")
        page = [ImageSpec(name=f"flight/{n}.jpg", size=2_000_000, sha256=f"{n:064x}") for n in range(PAGE)]
        client.add_images(draft.id, page)
        body = json.dumps({"images": [one.to_json() for one in page]}).encode()
    return {
        "status of a job": Question("GET", f"/v1/jobs/{job_id}"),
        "100 jobs": Question("GET", "/v1/jobs?limit=100"),
        "1,000 results": Question("GET", f"/v1/jobs/{job_id}/results?after={RESULTS // 2}&limit={PAGE}"),
        "1,000 upload URLs": Question("POST", f"/v1/jobs/{draft.id}/images", body),
    }


def floor(system: System, questions: Iterable[Question]) -> Server:
    """A server that repeats the API's answers."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    with urllib3.PoolManager(retries=False, timeout=START_SECONDS) as pool:

        def read(base: str, question: Question) -> str:
            headers = {"X-API-Key": system.api_key, "Content-Type": "application/json"}
            answer = pool.request(question.method, base + question.target, body=question.body, headers=headers)
            return answer.data.decode() if answer.status == HTTPStatus.OK else ""

        answers = {urlsplit(one.target).path.lstrip("/"): read(system.url, one) for one in questions}
        file = system.folder / "answers.json"
        file.write_text(json.dumps(answers), encoding="utf-8")
        child = system.start("floor", "-m", "tests.benchmarks.api_floor", str(file), str(port))
        path, text = next(iter(answers.items()))
        child.wait_ready(lambda: _answers(pool, f"{url}/{path}") == text, START_SECONDS)
    return Server("floor", url, child.pid)


def _answers(pool: urllib3.PoolManager, url: str) -> str:
    try:
        return pool.request("GET", url).data.decode()
    except urllib3.exceptions.HTTPError:
        return ""


def compare(figures: Figures, name: str, question: Question, servers: Sequence[Server], effort: Effort) -> None:
    """Ask both in turns; the first round of each is not counted."""
    rounds: dict[str, list[Round]] = {one.name: [] for one in servers}
    for number in range(effort.rounds + 1):
        for server in servers:
            found = measure(server, question, effort.key, effort.seconds if number else WARM_SECONDS)
            if number:
                rounds[server.name].append(found)
    ours, theirs = (rounds[one.name] for one in servers)
    figures.add(f"{name}: requests", [one.per_second for one in ours], "/s")
    figures.add(f"{name}: p99", [one.p99 for one in ours], "ms")
    figures.add(f"{name}: processor of the API", [one.processor for one in ours], "ms a request")
    figures.add(f"{name}: requests of the floor", [one.per_second for one in theirs], "/s")
    figures.add(f"{name}: p99 of the floor", [one.p99 for one in theirs], "ms")
    figures.add(f"{name}: API / floor", [a.per_second / b.per_second for a, b in zip(ours, theirs, strict=True)])


@dataclass(frozen=True, slots=True)
class Round:
    """Requests a second; milliseconds."""

    per_second: float
    p99: float
    processor: float


def measure(server: Server, question: Question, key: str, seconds: float) -> Round:
    """One server for some seconds."""
    process = psutil.Process(server.pid)
    before = processor(process)
    asked = ask(server.url, key, question, clients=CLIENTS, seconds=seconds)
    spent = processor(process) - before
    count = len(asked.latencies)
    p99 = quantiles(asked.latencies, n=100, method="inclusive")[98]
    return Round(count / asked.seconds, p99 * 1000, spent / count * 1000)


if __name__ == "__main__":
    main()
