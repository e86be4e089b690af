"""Receipts: what was removed, when, why and by whom. They hold counts, never content."""
