"""Who did what to what, when and from where: a table that only grows, and a log line."""

from shared.audit.record import Actor, record

__all__ = ["Actor", "record"]
