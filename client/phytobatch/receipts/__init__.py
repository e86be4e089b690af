"""Receipts: what was removed, when and why."""
