"""The settings that the chart takes under `config`: all but secrets and what it decides by itself.

``python -m tests.contract.chart.known_settings > deploy/chart/files/settings.txt`` after a setting came or went.
"""

from typing import get_args

from pydantic import SecretStr

from shared.settings import ENV_PREFIX, Settings

# Depend on other values of the chart, so that it sets them and refuses them in `config`.
DECIDED_BY_THE_CHART = {
    "PHYTOBATCH_API_HOST",
    "PHYTOBATCH_API_PORT",
    "PHYTOBATCH_CLASSIFIERS",
    "PHYTOBATCH_METRICS_HOST",
    "PHYTOBATCH_METRICS_PORT",
    "PHYTOBATCH_SHUTDOWN_SECONDS",
}
KNOWN = {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}
SECRETS = {
    f"{ENV_PREFIX}{name.upper()}"
    for name, field in Settings.model_fields.items()
    if SecretStr in (field.annotation, *get_args(field.annotation))
}
TAKEN = sorted(KNOWN - SECRETS - DECIDED_BY_THE_CHART)

if __name__ == "__main__":
    print("\n".join(TAKEN))  # noqa: T201  # this is the command's answer
