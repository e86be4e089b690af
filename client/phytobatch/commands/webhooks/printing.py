"""Webhooks, for people."""

from __future__ import annotations

from phytobatch.commands.command import Context
from phytobatch.terminal.output import Output
from phytobatch.webhooks.resources import Webhook
from phytobatch.words import moment, plural


def print_webhook(context: Context, webhook: Webhook) -> None:
    """Print one webhook, without its secret."""
    if context.output.as_json:
        context.output.document(webhook.raw)
    else:
        context.output.table(("webhook", webhook.id), _rows(webhook), whole=("webhook",))


def print_with_secret(context: Context, webhook: Webhook) -> None:
    """Print one webhook with the secret that was just made: on stdout, once."""
    if context.output.as_json:
        context.output.document({**webhook.raw, "secret": webhook.secret})
    else:
        print_webhook(context, webhook)
    if webhook.secret is None:
        context.output.warn(
            f"The answer with the secret was lost on the way. Make another: phytobatch webhooks rotate {webhook.id}"
        )
    else:
        print_secret(context.output, webhook.secret)


def print_secret(output: Output, secret: str) -> None:
    """Print a secret on a line of its own; nobody can look it up later."""
    if not output.as_json:
        output.text(f"secret {secret}")
    output.note("Keep the secret now: it is not shown again. Receivers verify with it.")


def state_of(webhook: Webhook) -> str:
    """Describe the state in a word or two: ``on``, ``failing``, ``paused``, ``off (gone)``."""
    if not webhook.enabled:
        return f"off ({(webhook.disabled_reason or '').replace('_', ' ')})"
    if webhook.paused_until is not None:
        return "paused"
    return "failing" if webhook.consecutive_failures else "on"


def _rows(webhook: Webhook) -> list[tuple[str, str]]:
    failures = plural(webhook.consecutive_failures, "failure")
    rows = {
        "url": webhook.url,
        "description": webhook.description,
        "state": state_of(webhook),
        "disabled": moment(webhook.disabled_at),
        "events": ", ".join(webhook.events),
        "in a row": f"{failures} since {moment(webhook.failing_since)}" if webhook.consecutive_failures else None,
        "paused until": moment(webhook.paused_until),
        "last success": moment(webhook.last_success_at),
        "created": moment(webhook.created_at),
        "old secret until": moment(webhook.previous_secret_until),
    }
    return [(name, value) for name, value in rows.items() if value]
