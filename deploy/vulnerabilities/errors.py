"""What can go wrong here.

VulnerabilitiesError
├── AdvisoryUnreadable   a file of the advisory data is not what OSV writes
├── NotComplete          an audit or a list that does not cover everything is none
└── ToolMissing          `make checks` was not run
"""


class VulnerabilitiesError(Exception):
    """The message is a sentence for the operator."""


class AdvisoryUnreadable(VulnerabilitiesError):
    """The advisory data cannot be trusted to say anything."""


class NotComplete(VulnerabilitiesError):
    """Something was left out, so nothing can be said of the rest."""


class ToolMissing(VulnerabilitiesError):
    """A program of the check tools is not installed."""
