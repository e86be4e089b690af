"""The object store: its interface, and the implementation for S3."""
