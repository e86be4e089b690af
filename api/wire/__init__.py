"""A job on the wire: its JSON, its path, its entity tag. Below the routes, and below what waits for jobs."""
