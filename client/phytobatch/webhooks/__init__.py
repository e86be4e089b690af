"""Webhooks: keeping endpoints, looking at deliveries, and verifying what arrives."""
