"""Servers of the user: if their variables are set, no embedded server of that kind is started."""

from collections.abc import Mapping

from deploy.local.errors import NotPossibleHere
from deploy.local.servers import ALL_SERVICES

# The first variable says that there is such a server, the others are needed to use it.
VARIABLES = {
    "postgres": ("PHYTOBATCH_DATABASE_URL",),
    "valkey": ("PHYTOBATCH_REDIS_URL",),
    "objects": (
        "PHYTOBATCH_S3_ENDPOINT_URL",
        "PHYTOBATCH_S3_BUCKET",
        "PHYTOBATCH_S3_ACCESS_KEY_ID",
        "PHYTOBATCH_S3_SECRET_ACCESS_KEY",
    ),
}
EMBEDDED_ONLY = "PHYTOBATCH_S3_"


def embedded_services(environment: Mapping[str, str]) -> tuple[str, ...]:
    """List the services for which ``environment`` names no server.

    Raises:
        NotPossibleHere: it names an S3 server and leaves out its bucket or keys.
    """
    for decisive, *others in VARIABLES.values():
        missing = [name for name in others if not environment.get(name)]
        if environment.get(decisive) and missing:
            raise NotPossibleHere(
                f"{decisive} is set, so that server is used; set {', '.join(missing)} too, "
                f"or unset {decisive} for an embedded server"
            )
    return tuple(service for service in ALL_SERVICES if not environment.get(VARIABLES[service][0]))


def merged(environment: Mapping[str, str], embedded: Mapping[str, str]) -> dict[str, str]:
    """Merge the user's variables with those of the embedded servers, which win.

    Variables of an S3 server that the user set up elsewhere (a public address, say) are left out: they must not be
    combined with the embedded one.
    """
    ours = any(name.startswith(EMBEDDED_ONLY) for name in embedded)
    users = {name: value for name, value in environment.items() if not (ours and name.startswith(EMBEDDED_ONLY))}
    return users | dict(embedded)
