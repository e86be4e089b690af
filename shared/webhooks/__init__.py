"""Webhooks: what both programs know of them. The API keeps endpoints, the deliverer makes the deliveries."""
