"""The HTTP API: parse, authorise, one call into shared, answer."""
