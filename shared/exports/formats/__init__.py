"""The formats of exports: a file for each, called like its member of ``ExportFormat``, with a constant ``FORMAT``.

A new format is one new file here and one line of :class:`shared.contracts.exports.ExportFormat`.
"""

from collections.abc import Mapping
from importlib import import_module

from shared.contracts.exports import ExportFormat
from shared.exports.format import Format


def _load(name: ExportFormat) -> Format:
    found: Format = import_module(f"{__name__}.{name}").FORMAT
    return found


FORMATS: Mapping[ExportFormat, Format] = {name: _load(name) for name in ExportFormat}
