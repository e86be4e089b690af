"""Delivering webhooks: a process of its own, without a classifier."""
