"""Multipart bodies (RFC 7578): parsed while they arrive, bounded in parts and in bytes of each."""
