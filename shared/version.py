"""The version of the programs. They run from their folder, so there is no package with metadata to read."""

VERSION = "0.1.0"
