"""The errors of the audit.

VulnerabilitiesError
├── AdvisoryUnreadable   a file of the advisory data is not in the format of OSV
├── NotComplete          an audit or a list does not cover everything
└── ToolMissing          `make checks` has not been run
"""


class VulnerabilitiesError(Exception):
    """Base of these errors. The message is a sentence for the operator."""


class AdvisoryUnreadable(VulnerabilitiesError):
    """The advisory data cannot be used."""


class NotComplete(VulnerabilitiesError):
    """A package was left out, so the result says nothing about it."""


class ToolMissing(VulnerabilitiesError):
    """A program of the check tools is not installed."""
