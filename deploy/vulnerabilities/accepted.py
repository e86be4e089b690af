"""Advisories that do not concern us, each with the reason. The audit passes over them; a test looks for stale ones."""

# Identifier of the advisory (as GHSA-…, PYSEC-… or CVE-…): why it does not concern us, and until when that holds.
ACCEPTED: dict[str, str] = {}
