"""Webhooks: endpoints, deliveries, and the verification of what arrives."""
