"""Retention: removal after the configured days, in small idempotent steps."""
