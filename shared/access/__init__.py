"""Access: API keys, and the buckets that a tenant may import from."""
