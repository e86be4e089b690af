"""Commands that come before everything else: check the settings, and prepare the servers for this version."""

import argparse
import os
from collections.abc import Callable

from api.admin.classifiers import publish_classifier, register
from api.admin.command import Command
from api.admin.servers import create_bucket, migrate
from shared.access.keys import read_bootstrap_key
from shared.addresses import public
from shared.classifiers.named import parse_classifiers
from shared.errors import ConfigurationError
from shared.settings import ENV_PREFIX, EXAMPLE_SECRET, Settings, get_settings
from shared.webhooks.schedule import Schedule
from shared.webhooks.urls import Policy

# Settings that a program reads further when it starts. Whatever stops one of them there has to stop this command.
READERS: tuple[Callable[[Settings], object], ...] = (
    lambda settings: public.prefix_of(settings.public_url),
    lambda settings: public.trusted_hosts(settings.trusted_hosts),
    lambda settings: public.cors_origins(settings.cors_origins),
    lambda settings: public.trusted_proxies(settings.trusted_proxies),
    lambda settings: read_bootstrap_key(settings.bootstrap_api_key),
    Policy.of,
    lambda settings: Schedule.parse(settings.webhook_schedule),
    lambda settings: parse_classifiers(settings.classifiers),
)


def check_settings(arguments: argparse.Namespace) -> str:
    """Read the settings and connect to nothing: a start that goes wrong here has touched no server yet.

    Raises:
        ConfigurationError: a variable is missing, makes no sense, or is an example secret.
    """
    settings = get_settings()
    for read in READERS:
        read(settings)
    missing = [name for name in arguments.require if not os.environ.get(name)]
    if missing:
        raise ConfigurationError(
            f"{', '.join(missing)}: this installation needs a value; `python3 -m deploy.compose` writes a .env with "
            "random ones"
        )
    # Beside the settings of our programs there are those of Grafana and whatever else stands in the same file.
    examples = sorted(n for n, value in os.environ.items() if n.startswith(ENV_PREFIX) and EXAMPLE_SECRET in value)
    if examples:
        raise ConfigurationError(f"{', '.join(examples)}: everybody knows the example secret; write another one")
    return "The settings make sense."


def _required(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--require", action="append", default=[], metavar="VARIABLE", help="refuse also if this variable is empty"
    )


def prepare(_: argparse.Namespace) -> str:
    """Bring tables, bucket and classifiers to where this version wants them; harmless to repeat.

    The shipped classifier becomes the default where workers serve it, which they do unless ``PHYTOBATCH_CLASSIFIERS``
    names others: then the default is the operator's choice.

    Raises:
        ConfigurationError: the settings make no sense.
        Conflict: the classifier is known with other weights.
        DatabaseUnavailable: Postgres is away.
        StoreUnavailable: the object store is away.
    """
    nothing = argparse.Namespace()
    shipped = argparse.Namespace(folder=None, default=not get_settings().classifiers)
    lines = [migrate(nothing), create_bucket(nothing)]
    publish_classifier(shipped)  # Before it can become the default: workers may have to fetch it.
    return "\n".join((*lines, register(shipped)))


COMMANDS = (
    Command(
        "check-settings",
        "say whether the settings make sense, without connecting to anything",
        check_settings,
        _required,
    ),
    Command("prepare", "prepare for a new version: migrate, create-bucket, publish and register", prepare),
)
