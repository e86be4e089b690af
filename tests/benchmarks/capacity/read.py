"""Inputs from a TOML file and from the command line; a name that does not exist is refused."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from tests.benchmarks.capacity.errors import InputRefused
from tests.benchmarks.capacity.inputs import Inputs, WorkerClass

T = TypeVar("T")
# Inputs that may be 0; every other one must be above.
MAY_BE_ZERO = {
    "arrive_from", "small_jobs_per_million", "heavy_tenants", "seed", "startup_seconds", "price_per_hour",
    "min_replicas", "activation_chunks", "round_trip_seconds", "write_seconds", "validate_seconds_per_1000",
    "cooldown_seconds", "stabilization_seconds", "tolerance", "keep_days_originals", "keep_days_results",
}  # fmt: skip
FREE_SECTIONS = {"prices"}  # A price of 0 is a gift, not a mistake.


def read_inputs(file: Path | None, settings: Sequence[str]) -> Inputs:
    """The defaults, over them the file, over it each ``section.name=value``.

    Raises:
        InputRefused: the file cannot be read, a name does not exist, or a value makes no sense.
    """
    asked = {} if file is None else _parse(file)
    for setting in settings:
        path, found, value = setting.partition("=")
        section, dot, name = path.partition(".")
        if not found or not dot:
            raise InputRefused(f"{setting!r}: write section.name=value, as load.tenants=20")
        asked[section] = {**asked.get(section, {}), name: _number(setting, value)}
    return _checked(_with(Inputs(), asked))


def _parse(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputRefused(f"{file} cannot be read: {error}") from error


def _number(setting: str, value: str) -> float:
    try:
        return int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError:
        raise InputRefused(f"{setting!r}: {value!r} is no number") from None


def _with(inputs: Inputs, asked: Mapping[str, Any]) -> Inputs:
    given: dict[str, Any] = {}
    for section, values in asked.items():
        _known(section, [one.name for one in fields(Inputs)], "section")
        if section == "workers":
            given[section] = _kinds(values)
        else:
            given[section] = _section(getattr(inputs, section), section, values)
    return replace(inputs, **given)


def _kinds(values: object) -> tuple[WorkerClass, ...]:
    if not isinstance(values, list) or not values:
        raise InputRefused("workers is a list: write [[workers]] above each kind, with its name")
    return tuple(_section(WorkerClass(), "workers", one) for one in values)


def _section(of: T, section: str, values: object) -> T:
    if not isinstance(values, dict):
        raise InputRefused(f"{section} is a section: write [{section}], and its inputs below")
    defaults = {one.name: getattr(of, one.name) for one in fields(of)}  # type: ignore[arg-type]  # a dataclass
    for name, value in values.items():
        _known(name, list(defaults), f"input in [{section}]")
        _fits(f"{section}.{name}", value, defaults[name], zero=name in MAY_BE_ZERO or section in FREE_SECTIONS)
    return replace(of, **values)  # type: ignore[type-var]  # as above


def _known(name: str, names: Sequence[str], what: str) -> None:
    if name not in names:
        near = get_close_matches(name, names, 1)
        raise InputRefused(f"there is no {what} called {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def _fits(name: str, value: object, default: object, *, zero: bool) -> None:
    if isinstance(default, str):
        if not isinstance(value, str) or not value:
            raise InputRefused(f"{name} is a text, not {value!r}")
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputRefused(f"{name} is a number, not {value!r}")
    if isinstance(default, int) and not isinstance(value, int):
        raise InputRefused(f"{name} is a whole number, not {value!r}")
    if value < 0 or (value == 0 and not zero):
        raise InputRefused(f"{name} must be {'0 or more' if zero else 'above 0'}, not {value!r}")


def _checked(inputs: Inputs) -> Inputs:
    """Check values against each other."""
    load = inputs.load
    if not load.arrive_from < load.arrive_until <= 24:  # hours
        raise InputRefused("load.arrive_from must be before load.arrive_until, both hours of one day (0 to 24)")
    if load.least_job > load.most_job:
        raise InputRefused("load.least_job must not be above load.most_job")
    if load.heavy_tenants > load.tenants:
        raise InputRefused("load.heavy_tenants must not be above load.tenants")
    if not inputs.target.share < 1 or not inputs.measured.busy_share <= 1:
        raise InputRefused("target.share must be below 1, measured.busy_share at most 1")
    return inputs
