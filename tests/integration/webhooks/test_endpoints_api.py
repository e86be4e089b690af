"""Webhooks over HTTP: made, read, changed, disabled, removed."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.contracts.states import DEFAULT_EVENTS, Scope
from shared.db.session import Database
from tests.integration.conftest import Api, MakeKey, MakeSettings, Serve, assert_problem, insert_key, insert_tenant
from tests.integration.webhooks.hooks import URL, Hooks
from tests.patience import PATIENCE_SECONDS

NOBODY = "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10"
ADMIN_CALLS = [
    ("POST", "/v1/webhooks"),
    ("PATCH", f"/v1/webhooks/{NOBODY}"),
    ("DELETE", f"/v1/webhooks/{NOBODY}"),
    ("POST", f"/v1/webhooks/{NOBODY}/rotate"),
    ("POST", f"/v1/webhooks/{NOBODY}/enable"),
    ("POST", f"/v1/webhooks/{NOBODY}/disable"),
    ("POST", "/v1/webhooks/job-secret"),
]
SUBMIT_CALLS = [
    ("POST", f"/v1/webhooks/{NOBODY}/test"),
    ("POST", f"/v1/webhooks/{NOBODY}/redeliver"),
    ("POST", f"/v1/deliveries/{NOBODY}/redeliver"),
]
READ_CALLS = [
    ("GET", "/v1/webhooks"),
    ("GET", f"/v1/webhooks/{NOBODY}"),
    ("GET", "/v1/webhooks/job-secret"),
    ("GET", "/v1/deliveries"),
    ("GET", f"/v1/deliveries/{NOBODY}"),
]
BODIES = {
    f"/v1/webhooks/{NOBODY}/redeliver": {"since": "2026-01-01T00:00:00Z"},
    "/v1/webhooks": {"url": URL},
}


def body_of(method: str, path: str) -> object:
    return {} if method == "PATCH" else BODIES.get(path) if method == "POST" else None


@pytest.mark.parametrize(("method", "path"), ADMIN_CALLS + SUBMIT_CALLS + READ_CALLS)
def test_every_call_wants_a_key(anonymous: Api, method: str, path: str) -> None:
    assert_problem(anonymous.request(method, path), 401, "unauthenticated")


@pytest.mark.parametrize(("method", "path"), ADMIN_CALLS)
def test_who_may_read_and_submit_may_not_change_webhooks(api: Api, method: str, path: str) -> None:
    assert_problem(api.request(method, path, json=body_of(method, path)), 403, "forbidden")


@pytest.mark.parametrize(("method", "path"), SUBMIT_CALLS)
def test_who_may_read_may_send_nothing(anonymous: Api, make_key: MakeKey, method: str, path: str) -> None:
    reader = anonymous.with_key(make_key(None, Scope.READ))
    assert_problem(reader.request(method, path, json=body_of(method, path)), 403, "forbidden")
    submitter = anonymous.with_key(make_key(None, Scope.SUBMIT))
    assert_problem(submitter.request(method, path, json=body_of(method, path)), 404, "not-found")


@pytest.mark.parametrize(("method", "path"), READ_CALLS)
def test_who_may_submit_may_not_read_webhooks(anonymous: Api, make_key: MakeKey, method: str, path: str) -> None:
    assert_problem(anonymous.with_key(make_key(None, Scope.SUBMIT)).request(method, path), 403, "forbidden")
    reader = anonymous.with_key(make_key(None, Scope.READ))
    assert reader.request(method, path).status == (404 if NOBODY in path else 200)


def test_a_new_webhook_shows_its_secret_once(hooks: Hooks) -> None:
    answer = hooks.api.post("/v1/webhooks", {"url": URL})
    made = answer.json()
    assert answer.status == 201
    assert answer.headers["Location"] == made["links"]["self"] == f"/v1/webhooks/{made['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert made["links"]["deliveries"] == f"/v1/deliveries?endpoint={made['id']}"
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made["events"] == list(DEFAULT_EVENTS)
    assert (made["url"], made["description"], made["enabled"], made["disabled"]) == (URL, None, True, None)
    assert (made["consecutive_failures"], made["failing_since"], made["paused_until"]) == (0, None, None)
    assert (made["per_job"], made["last_success_at"], made["previous_secret_until"]) == (False, None, None)
    assert hooks.get(made["id"]) == made
    for path in ("/v1/webhooks", f"/v1/webhooks/{made['id']}", "/v1/deliveries", "/v1/webhooks/job-secret"):
        assert secret not in hooks.api.get(path).data.decode()


def test_events_and_description_are_kept_as_they_were_named(hooks: Hooks) -> None:
    made = hooks.make(events=["webhook.disabled", "job.progress"], description="Nordfeld 🌿")
    assert made["events"] == ["webhook.disabled", "job.progress"]
    assert hooks.get(made["id"])["description"] == "Nordfeld 🌿"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": None},
        {"url": ""},
        {"url": 5},
        {"url": URL, "events": []},
        {"url": URL, "events": None},
        {"url": URL, "events": ["job.finished"]},
        {"url": URL, "events": ["webhook.test"]},
        {"url": URL, "events": ["job.failed", "job.failed"]},
        {"url": URL, "events": "job.failed"},
        {"url": URL, "description": ""},
        {"url": URL, "description": "x" * 513},
        {"url": URL, "description": "a\0b"},
        {"url": URL, "secret": "whsec_of_my_own"},
        {"url": f"https://farm.example.org/{'x' * 2000}"},
    ],
)
def test_a_webhook_that_does_not_fit_the_schema_is_refused(hooks: Hooks, body: object) -> None:
    assert_problem(hooks.api.post("/v1/webhooks", body), 422, "invalid-request")
    assert hooks.api.get("/v1/webhooks").json() == {"webhooks": [], "after": None, "has_more": False}


@pytest.mark.parametrize(
    "url",
    [
        "http://farm.example.org/hooks",
        "https://farm.example.org:22/hooks",
        "https://127.0.0.1/hooks",
        "https://[::1]/hooks",
        "https://169.254.169.254/latest",
        "https://user:password@farm.example.org/hooks",
        "https://farm.example.org/hooks#part",
        "ftp://farm.example.org/",
        "farm.example.org",
    ],
)
def test_a_url_that_webhooks_may_not_go_to_is_refused_wherever_it_is_named(hooks: Hooks, url: str) -> None:
    assert_problem(hooks.api.post("/v1/webhooks", {"url": url}), 422, "webhook-url-refused")
    made = hooks.make()
    assert_problem(hooks.api.request("PATCH", made["links"]["self"], json={"url": url}), 422, "webhook-url-refused")
    assert hooks.get(made["id"])["url"] == URL
    hooks.job_secret()
    assert_problem(hooks.api.post("/v1/jobs", {"webhook_url": url}), 422, "webhook-url-refused")


def test_a_webhook_of_another_tenant_does_not_exist(hooks: Hooks, others: Hooks) -> None:
    theirs = hooks.make()
    path = theirs["links"]["self"]
    for method, call, body in [
        ("GET", path, None),
        ("PATCH", path, {"url": "https://evil.example.org/"}),
        ("DELETE", path, None),
        ("POST", f"{path}/rotate", None),
        ("POST", f"{path}/enable", None),
        ("POST", f"{path}/disable", None),
        ("POST", f"{path}/test", None),
        ("POST", f"{path}/redeliver", {"since": "2026-01-01T00:00:00Z"}),
    ]:
        assert_problem(others.api.request(method, call, json=body), 404, "not-found")
    assert others.api.get("/v1/webhooks").json()["webhooks"] == []
    del theirs["secret"]
    assert hooks.get(theirs["id"]) == theirs


@pytest.mark.parametrize("endpoint_id", [NOBODY, "nonsense", "0"])
def test_a_webhook_that_nobody_has_does_not_exist(hooks: Hooks, endpoint_id: str) -> None:
    assert_problem(hooks.api.get(f"/v1/webhooks/{endpoint_id}"), 404, "not-found")
    assert_problem(hooks.api.request("DELETE", f"/v1/webhooks/{endpoint_id}"), 404, "not-found")


def test_webhooks_are_listed_newest_first_page_by_page(hooks: Hooks) -> None:
    ids = [hooks.make(description=f"{number}")["id"] for number in range(5)][::-1]
    first = hooks.api.get("/v1/webhooks?limit=2").json()
    assert ([one["id"] for one in first["webhooks"]], first["has_more"]) == (ids[:2], True)
    second = hooks.api.get(f"/v1/webhooks?limit=3&after={first['after']}").json()
    assert ([one["id"] for one in second["webhooks"]], second["has_more"]) == (ids[2:], False)
    last = hooks.api.get(f"/v1/webhooks?after={second['after']}").json()
    assert last == {"webhooks": [], "after": second["after"], "has_more": False}
    assert_problem(hooks.api.get("/v1/webhooks?limit=0"), 422, "invalid-request")
    assert_problem(hooks.api.get("/v1/webhooks?after=nonsense"), 422, "invalid-request")


def test_a_change_leaves_out_what_stays(hooks: Hooks) -> None:
    made = hooks.make(description="old", events=["job.failed"])
    path = made["links"]["self"]

    def change(**body: object) -> tuple[str, list[str], str | None]:
        answer = hooks.api.request("PATCH", path, json=body)
        assert answer.status == 200, answer.data
        assert hooks.get(made["id"]) == answer.json()
        return answer.json()["url"], answer.json()["events"], answer.json()["description"]

    assert change() == (URL, ["job.failed"], "old")
    assert change(events=["job.completed", "job.failed"]) == (URL, ["job.completed", "job.failed"], "old")
    assert change(description=None) == (URL, ["job.completed", "job.failed"], None)
    assert change(url="https://other.example.org/") == (
        "https://other.example.org/",
        ["job.completed", "job.failed"],
        None,
    )


@pytest.mark.parametrize(
    "body",
    [{"url": None}, {"events": None}, {"events": []}, {"description": ""}, {"enabled": False}, {"secret": "x"}, []],
)
def test_a_change_that_does_not_fit_the_schema_is_refused(hooks: Hooks, body: object) -> None:
    assert_problem(hooks.api.request("PATCH", hooks.make()["links"]["self"], json=body), 422, "invalid-request")


def test_another_url_forgets_the_failures_of_the_old_one(hooks: Hooks) -> None:
    made = hooks.make()
    failing = (
        "UPDATE webhook_endpoints SET consecutive_failures = 7, failing_since = now(), "
        "open_until = now() + interval '1 minute' WHERE id = :id"
    )
    hooks.write(failing, id=made["id"])
    same = hooks.api.request("PATCH", made["links"]["self"], json={"url": URL, "description": "x"}).json()
    assert same["consecutive_failures"] == 7
    assert same["failing_since"] is not None
    assert same["paused_until"] is not None
    other = hooks.api.request("PATCH", made["links"]["self"], json={"url": "https://other.example.org/"}).json()
    assert (other["consecutive_failures"], other["failing_since"], other["paused_until"]) == (0, None, None)


def test_a_pause_that_is_over_is_not_shown(hooks: Hooks) -> None:
    made = hooks.make()
    hooks.write("UPDATE webhook_endpoints SET open_until = now() - interval '1 s' WHERE id = :id", id=made["id"])
    assert hooks.get(made["id"])["paused_until"] is None


def test_a_rotation_keeps_the_old_secret_for_a_while(hooks: Hooks) -> None:
    made = hooks.make()
    answer = hooks.api.post(f"{made['links']['self']}/rotate")
    rotated = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert rotated["secret"] != made["secret"]
    assert rotated["previous_secret_until"] is not None
    assert hooks.get(made["id"])["previous_secret_until"] == rotated["previous_secret_until"]
    find = (
        "SELECT s.secret, s.previous, round(extract(epoch FROM s.previous_until - now()) / 3600) AS hours "
        "FROM signing_secrets s JOIN webhook_endpoints e ON e.secret_id = s.id WHERE e.id = :id"
    )
    ((secret, previous, hours),) = hooks.sql(find, id=made["id"])
    assert (secret, previous, hours) == (rotated["secret"], made["secret"], 24)
    # A second rotation drops the oldest.
    newest = hooks.call(made["id"], "rotate")["secret"]
    ((secret, previous, _),) = hooks.sql(find, id=made["id"])
    assert (secret, previous) == (newest, rotated["secret"])


def test_an_old_secret_that_no_longer_signs_is_not_shown(hooks: Hooks) -> None:
    made = hooks.make()
    hooks.call(made["id"], "rotate")
    hooks.write(
        "UPDATE signing_secrets SET previous_until = now() - interval '1 s' WHERE tenant_id = :tenant",
        tenant=hooks.tenant_id,
    )
    assert hooks.get(made["id"])["previous_secret_until"] is None


def test_a_disabled_webhook_gets_nothing_and_can_be_enabled_again(hooks: Hooks) -> None:
    made = hooks.make()
    disabled = hooks.call(made["id"], "disable")
    assert disabled["enabled"] is False
    assert disabled["disabled"]["reason"] == "by_request"
    assert hooks.call(made["id"], "disable") == disabled
    hooks.canceled_job()
    assert hooks.deliveries() == []
    enabled = hooks.call(made["id"], "enable")
    assert (enabled["enabled"], enabled["disabled"]) == (True, None)
    assert hooks.call(made["id"], "enable") == enabled
    hooks.canceled_job()
    assert [one["event"] for one in hooks.deliveries()] == ["job.canceled"]


def test_disabling_keeps_the_reason_that_was_there(hooks: Hooks) -> None:
    made = hooks.make()
    hooks.write(
        "UPDATE webhook_endpoints SET enabled = false, disabled_reason = 'gone', disabled_at = now() WHERE id = :id",
        id=made["id"],
    )
    assert hooks.call(made["id"], "disable")["disabled"]["reason"] == "gone"


def test_enabling_forgets_failures_and_makes_what_waits_due(hooks: Hooks) -> None:
    made, other = hooks.make(), hooks.make(url="https://other.example.org/")
    hooks.canceled_job()
    waiting = {one["endpoint_id"]: one["id"] for one in hooks.deliveries()}
    for delivery_id in waiting.values():
        hooks.postpone(delivery_id)
    hooks.write(
        "UPDATE webhook_endpoints SET consecutive_failures = 9, failing_since = now(), "
        "open_until = now() + interval '1 h', enabled = false, disabled_reason = 'failing', disabled_at = now() "
        "WHERE id = :id",
        id=made["id"],
    )
    enabled = hooks.call(made["id"], "enable")
    assert (enabled["consecutive_failures"], enabled["failing_since"], enabled["paused_until"]) == (0, None, None)
    assert hooks.is_due(waiting[made["id"]])
    assert not hooks.is_due(waiting[other["id"]])


def test_deleting_takes_the_deliveries_and_the_secret_along(hooks: Hooks) -> None:
    made, stays = hooks.make(), hooks.make()
    hooks.canceled_job()
    answer = hooks.api.request("DELETE", made["links"]["self"])
    assert (answer.status, answer.data) == (204, b"")
    assert_problem(hooks.api.get(made["links"]["self"]), 404, "not-found")
    assert [one["endpoint_id"] for one in hooks.deliveries()] == [stays["id"]]
    assert hooks.sql("SELECT secret FROM signing_secrets WHERE tenant_id = :t", t=hooks.tenant_id) == [
        (stays["secret"],)
    ]
    assert_problem(hooks.api.request("DELETE", made["links"]["self"]), 404, "not-found")


KEY = {"Idempotency-Key": "one"}


def test_a_repeated_create_makes_one_webhook_and_repeats_no_secret(hooks: Hooks) -> None:
    first = hooks.api.post("/v1/webhooks", {"url": URL}, headers=KEY)
    again = hooks.api.post("/v1/webhooks", {"url": URL}, headers=KEY)
    assert (first.status, again.status) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert again.json() == {**first.json(), "secret": None}
    assert len(hooks.api.get("/v1/webhooks").json()["webhooks"]) == 1
    ((stored,),) = hooks.sql("SELECT k::text FROM idempotency_keys k WHERE tenant_id = :t", t=hooks.tenant_id)
    assert first.json()["id"] in stored
    assert "whsec_" not in stored
    other = {"url": "https://other.example.org/"}
    assert_problem(hooks.api.post("/v1/webhooks", other, headers=KEY), 422, "idempotency-key-reused")


def test_a_refused_webhook_gives_its_key_back(hooks: Hooks) -> None:
    refused = hooks.api.post("/v1/webhooks", {"url": "http://farm.example.org/"}, headers=KEY)
    assert_problem(refused, 422, "webhook-url-refused")
    assert hooks.api.post("/v1/webhooks", {"url": URL}, headers=KEY).status == 201


def test_a_tenant_has_so_many_webhooks_and_no_more(make_settings: MakeSettings, serve_api: Serve) -> None:
    settings = make_settings(max_webhook_endpoints=3)
    with serve_api(settings) as running:
        database = Database(settings)
        tenant = insert_tenant(database)
        api = running.with_key(insert_key(database, tenant, Scope.ADMIN))
        barrier = Barrier(8)

        def create(number: int) -> int:
            barrier.wait(PATIENCE_SECONDS)
            return api.post("/v1/webhooks", {"url": f"{URL}/{number}"}).status

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(create, range(8))) == [201] * 3 + [422] * 5
        refused = assert_problem(api.post("/v1/webhooks", {"url": URL}), 422, "limit-exceeded")
        assert refused["setting"] == "PHYTOBATCH_MAX_WEBHOOK_ENDPOINTS"
        # The addresses of jobs do not count, and what is deleted makes room.
        api.post("/v1/webhooks/job-secret")
        api.new_job(webhook_url=URL)
        page = api.get("/v1/webhooks").json()["webhooks"]
        assert len(page) == 3
        assert api.request("DELETE", page[0]["links"]["self"]).status == 204
        assert api.post("/v1/webhooks", {"url": URL}).status == 201
        other = running.with_key(insert_key(database, insert_tenant(database), Scope.ADMIN))
        assert other.post("/v1/webhooks", {"url": URL}).status == 201
        database.dispose()


def test_the_job_secret_is_made_shown_once_and_rotated(hooks: Hooks, others: Hooks) -> None:
    nothing = {"exists": False, "created_at": None, "rotated_at": None, "previous_secret_until": None}
    assert hooks.api.get("/v1/webhooks/job-secret").json() == nothing
    answer = hooks.api.post("/v1/webhooks/job-secret")
    made = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert made.pop("secret").startswith("whsec_")
    assert (made["rotated_at"], made["previous_secret_until"]) == (None, None)
    assert hooks.api.get("/v1/webhooks/job-secret").json() == {"exists": True, **made}
    again = hooks.api.post("/v1/webhooks/job-secret").json()
    assert again["created_at"] == made["created_at"]
    assert again["rotated_at"] is not None
    assert again["previous_secret_until"] > again["rotated_at"]
    ((secret, previous),) = hooks.sql(
        "SELECT secret, previous FROM signing_secrets WHERE tenant_id = :t AND for_jobs", t=hooks.tenant_id
    )
    assert secret == again["secret"]
    assert previous == answer.json()["secret"]
    assert others.api.get("/v1/webhooks/job-secret").json() == nothing


def test_without_an_overlap_the_old_secret_ends_at_once(make_settings: MakeSettings, serve_api: Serve) -> None:
    settings = make_settings(webhook_secret_overlap_hours=0)
    with serve_api(settings) as running:
        database = Database(settings)
        hooks = Hooks(
            running.with_key(insert_key(database, insert_tenant(database), Scope.ADMIN)), uuid.uuid4(), database
        )
        made = hooks.make()
        assert hooks.call(made["id"], "rotate")["previous_secret_until"] is None
        hooks.job_secret()
        hooks.job_secret()
        assert hooks.sql("SELECT count(previous), count(previous_until) FROM signing_secrets") == [(0, 0)]
        database.dispose()


def test_the_log_of_the_api_has_no_secret(hooks: Hooks, capsys: pytest.CaptureFixture[str]) -> None:
    made = hooks.make()
    rotated = hooks.call(made["id"], "rotate")
    printed = "".join(capsys.readouterr())
    assert "/rotate" in printed
    assert "whsec_" not in printed
    assert json.dumps(rotated["secret"]) not in printed
