"""Settings of the process that every test needs."""

import signal

from hypothesis import settings

# A shell that starts something in the background makes it ignore Ctrl-C, and so would every program that a test
# starts. Tests send Ctrl-C to them.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Hypothesis takes an example of more than 200 ms for a failure, unless told otherwise: on a busy machine any is.
settings.register_profile("patient", deadline=None)
# For tests that look at `--hypothesis-profile=thorough`.
settings.register_profile("thorough", settings.get_profile("patient"), max_examples=2000)
settings.load_profile("patient")
