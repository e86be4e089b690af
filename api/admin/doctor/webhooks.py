"""Webhooks: sensible settings, a running deliverer, endpoints that get nothing."""

from collections.abc import Iterator

from api.admin.doctor.finding import Check, Finding, fail, ok, warn
from api.admin.doctor.subject import Subject
from shared.errors import ConfigurationError
from shared.programs import ProgramKind
from shared.webhooks.schedule import Schedule
from shared.webhooks.urls import Policy

STATE = """
    SELECT (SELECT count(*) FROM webhook_endpoints) AS endpoints,
           (SELECT count(*) FROM webhook_endpoints WHERE disabled_reason IN ('gone', 'failing')) AS disabled,
           (SELECT count(*) FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id
            WHERE d.state = 'pending' AND d.next_attempt_at < now() - interval '5 minutes' AND d.lease_token IS NULL
              AND e.enabled AND coalesce(e.open_until < now(), true)) AS late
"""


def settings(subject: Subject) -> Iterator[Finding]:
    """Check which addresses webhooks may go to, and when they are tried again."""
    try:
        policy = Policy.of(subject.settings)
        Schedule.parse(subject.settings.webhook_schedule)
    except ConfigurationError as error:
        yield fail("webhook settings", str(error), "mend that variable; API and deliverer do not start with it")
        return
    whole = ", ".join(str(entry.network) for entry in policy.networks.entries if entry.ports is None)
    if whole and subject.settings.public_url and subject.settings.public_url.startswith("https"):
        yield warn(
            "webhook settings",
            f"webhooks may go to every address of {whole}, also by plain http",
            "name the ports of your receivers (10.1.2.0/24:8080); a tenant chooses the address",
        )
    else:
        yield ok("webhook settings", f"ports {subject.settings.webhook_ports}")


def deliveries(subject: Subject) -> Iterator[Finding]:
    """Check that due deliveries are sent."""
    row = subject.row(STATE)
    if row.endpoints and not subject.count_running(ProgramKind.DELIVERER):
        yield fail(
            "deliverer",
            f"{row.endpoints} endpoints, and no deliverer is at work",
            "start one: `python -m worker deliver`",
        )
    elif row.late:
        yield warn(
            "deliverer", f"{row.late} deliveries are late by five minutes or more", "start another; look at its log"
        )
    else:
        yield ok("deliverer", f"{row.endpoints} endpoints, nothing is late")
    if row.disabled:
        yield warn(
            "endpoints",
            f"{row.disabled} are disabled because they failed or are gone",
            "tell their owners; `python -m api.admin list-endpoints` shows them, `enable-endpoint` ends it",
        )


CHECKS: tuple[Check, ...] = (settings, deliveries)
