"""``dead-letters``: images, jobs and deliveries that failed, not by the fault of a file: list, export, run again."""

from api.admin.dead_letters.command import COMMANDS

__all__ = ["COMMANDS"]
