"""Commands that come before everything else: are the settings good, and is all there that this version needs."""

import argparse
import os

from api.commands.classifiers import publish_classifier, register
from api.commands.command import Command
from api.commands.servers import create_bucket, migrate
from shared.errors import ConfigurationError
from shared.settings import ENV_PREFIX, EXAMPLE_SECRET, get_settings


def check_settings(_: argparse.Namespace) -> str:
    """Read the settings and connect to nothing: a start that goes wrong here has touched no server yet.

    Raises:
        ConfigurationError: a variable is missing, makes no sense, or is an example secret.
    """
    get_settings()
    # Beside the settings of our programs there are those of Grafana and whatever else stands in the same file.
    examples = sorted(n for n, value in os.environ.items() if n.startswith(ENV_PREFIX) and EXAMPLE_SECRET in value)
    if examples:
        raise ConfigurationError(f"{', '.join(examples)}: everybody knows the example secret; write another one")
    return "The settings make sense."


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
    said = [migrate(nothing), create_bucket(nothing)]
    publish_classifier(shipped)  # Before it can become the default: workers may have to fetch it.
    return "\n".join((*said, register(shipped)))


COMMANDS = (
    Command("check-settings", "say whether the settings make sense, without connecting to anything", check_settings),
    Command("prepare", "before a new version starts: migrate, create-bucket, publish and register", prepare),
)
