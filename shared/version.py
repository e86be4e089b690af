"""The version of the programs. They run from their folder, so no package's metadata could say it."""

VERSION = "0.1.0"
