"""What ``docker-compose.yml`` needs beside it: start scripts, overrides, and the command that makes its secrets."""
