"""Phytobatch on one machine without containers: real PostgreSQL, Valkey and SeaweedFS from installed packages.

``python -m deploy.local`` is the command; ``deploy.local.servers.LocalServers`` is what tests start their servers with.
"""
