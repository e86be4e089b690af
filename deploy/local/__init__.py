"""Phytobatch on one machine without containers: real PostgreSQL, Valkey and SeaweedFS from installed packages.

``python -m deploy.local`` is the command; tests start their servers with ``deploy.local.servers.LocalServers``.
"""
