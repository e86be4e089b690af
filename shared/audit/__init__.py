"""The audit log: actor, action, subject, time and address, in a table that only grows and in a log line."""

from shared.audit.record import Actor, record

__all__ = ["Actor", "record"]
