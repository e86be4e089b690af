"""A command, and its context."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from phytobatch import configuration
from phytobatch.exit_codes import ExitCode
from phytobatch.pools import is_loopback
from phytobatch.retry import RetryPolicy
from phytobatch.sdk import Phytobatch
from phytobatch.terminal.output import Output
from phytobatch.words import in_time

# A person waits: long enough for a restart of the server, short enough to notice a wrong address.
RETRY_SECONDS = 15.0


class Context:
    """The options of this call, where to print, and the connection (made when it is first used)."""

    def __init__(self, options: argparse.Namespace, output: Output) -> None:
        self.options = options
        self.output = output

    @cached_property
    def api_key(self) -> str:
        """The key; never print it."""
        return configuration.api_key(self.options.key_file)

    @cached_property
    def client(self) -> Phytobatch:
        """The connection that the options and the environment describe."""
        url = configuration.base_url(self.options.url)
        if url.startswith("http://") and not is_loopback(url):
            self.output.warn(f"{url} is not encrypted: anybody on the way can read the API key. Use https.")
        # One connection for each upload in parallel, and some for the API.
        connections = 8 + int(getattr(self.options, "parallel", 0))
        return Phytobatch(url, self.api_key, retry=self.policy, on_retry=self.say_retry, connections=connections)

    @property
    def policy(self) -> RetryPolicy:
        """The patience of a call."""
        return RetryPolicy(total_seconds=RETRY_SECONDS)

    def say_retry(self, error: Exception, pause: float) -> None:
        """Tell the user."""
        self.output.note(f"{error} Trying again in {in_time(max(1.0, pause))}.")


@dataclass(frozen=True)
class Command:
    """A row of the table of commands."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Context], ExitCode]
    examples: tuple[str, ...] = ()
    description: str = field(default="")


@dataclass(frozen=True)
class Group:
    """A row of the table that holds a table of its own: ``phytobatch webhooks create``."""

    name: str
    help: str
    commands: tuple[Command, ...]
    description: str = field(default="")
