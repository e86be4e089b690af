"""Who may do what: API keys, and the buckets that a tenant may import from."""
