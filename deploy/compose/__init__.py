"""The companions of ``docker-compose.yml``: start scripts, overrides, and the command that makes its secrets."""
