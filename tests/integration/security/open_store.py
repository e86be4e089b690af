"""SeaweedFS as it comes: every port of it but that of S3 asks for no key."""

import psutil

from deploy.local.objects import PARTS, ObjectServer
from deploy.local.server import Server
from deploy.mutual_tls import SETTINGS


class OpenServer(ObjectServer):
    """SeaweedFS as it comes."""

    def prepare(self) -> None:
        super().prepare()
        (self.home / SETTINGS).unlink()

    def answers(self) -> bool:
        return len(listening(self)) == 2 * len(PARTS)


def listening(server: Server) -> list[int]:
    """Every port of its process, also those that nobody configured."""
    connections = psutil.Process(server.pid).net_connections("inet")
    return sorted({found.laddr.port for found in connections if found.status == psutil.CONN_LISTEN})
