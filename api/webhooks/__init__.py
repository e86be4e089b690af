"""Webhooks over HTTP: endpoints, the secret of the jobs' own URLs, deliveries."""
