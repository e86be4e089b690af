"""Messages and single attempts for the tests of the sender."""

import asyncio
import ssl
import time
import uuid
from collections.abc import Sequence
from ipaddress import ip_address

from shared.webhooks.addresses import Address
from shared.webhooks.networks import Networks
from shared.webhooks.ports import Ports
from shared.webhooks.signing import new_secret
from shared.webhooks.urls import Policy
from tests.patience import PATIENCE_SECONDS
from worker.webhooks.message import Attempt, Message
from worker.webhooks.resolver import Resolve
from worker.webhooks.sender import Sender

LOOPBACK = Policy(ports=Ports.parse("1-65535"), networks=Networks.parse("127.0.0.0/8:1-65535,[::1/128]:1-65535"))
# A connection that failed in its handshake is gone a turn of the loop later; a deliverer's loop goes on anyway.
LAST_TURN_SECONDS = 0.01
BODY = '{"type":"job.completed","data":{"name":"Nördliches Feld"}}'.encode()


def message(url: str, *secrets: str) -> Message:
    """A message as the deliverer makes one."""
    return Message(
        delivery_id=uuid.uuid4(),
        webhook_id=str(uuid.uuid4()),
        url=url,
        body=BODY,
        secrets=secrets or (new_secret(),),
        timestamp=int(time.time()),
    )


def send(
    url: str | Message,
    *,
    policy: Policy = LOOPBACK,
    timeout_seconds: float = PATIENCE_SECONDS,
    resolver: Resolve | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Attempt:
    """One attempt by a sender of its own."""

    async def attempt() -> Attempt:
        sender = Sender(
            policy,
            timeout_seconds=timeout_seconds,
            resolver=resolver or unknown,
            ssl_context=ssl_context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )
        try:
            return await sender.send(message(url) if isinstance(url, str) else url)
        finally:
            await sender.close()
            await asyncio.sleep(LAST_TURN_SECONDS)

    return asyncio.run(attempt())


def leads_to(*addresses: str) -> Resolve:
    """A resolver for which every name has these addresses."""

    def resolve(_name: str) -> Sequence[Address]:
        return [ip_address(address) for address in addresses]

    return resolve


def unknown(name: str) -> Sequence[Address]:
    """A resolver that must not be asked."""
    raise AssertionError(f"{name} was looked up")
