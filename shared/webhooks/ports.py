"""Ports as an operator writes them: ``443,8000-8999``."""

import re
from dataclasses import dataclass

from shared.addresses.parts import MAX_PORT
from shared.errors import ConfigurationError

PORT_RANGE = re.compile(r"(?P<first>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that webhooks may go to."""

    ranges: tuple[range, ...]

    @classmethod
    def parse(cls, text: str) -> "Ports":
        """Read ports and ranges separated by commas, as ``443,8000-8999``.

        Raises:
            ConfigurationError: a part is no port or range, or there is none.
        """
        ranges = tuple(port_range(part.strip(), "PHYTOBATCH_WEBHOOK_PORTS") for part in text.split(",") if part.strip())
        if not ranges:
            raise ConfigurationError("PHYTOBATCH_WEBHOOK_PORTS names no port; write it as 443,8000-8999")
        return cls(ranges)

    def __contains__(self, port: int) -> bool:
        return any(port in ports for ports in self.ranges)


def port_range(text: str, variable: str) -> range:
    """Read one port, or a first and a last one, as ``8000-8999``.

    Raises:
        ConfigurationError: it is neither, or outside of 1 to 65535; the message names ``variable``.
    """
    parts = PORT_RANGE.fullmatch(text)
    first = int(parts["first"]) if parts else 0
    last = int(parts["last"] or first) if parts else 0
    if not 1 <= first <= last <= MAX_PORT:
        raise ConfigurationError(f"{variable}: {text!r} is no port and no range of ports; write it as 443,8000-8999")
    return range(first, last + 1)
