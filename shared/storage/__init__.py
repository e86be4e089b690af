"""The object store: what the programs ask of it, and S3."""
