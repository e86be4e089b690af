"""The deliverer of webhooks: a process of its own, without a classifier."""
