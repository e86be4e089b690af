"""``dead-letters``: what ended without success and is nobody's file's fault: list, export, run again."""

from api.admin.dead_letters.command import COMMANDS

__all__ = ["COMMANDS"]
