"""What the API tells Prometheus: its requests, and what Postgres knows."""
