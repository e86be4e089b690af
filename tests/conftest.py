"""What every test needs of its process."""

import signal

from hypothesis import settings

# A shell that starts something in the background makes it ignore Ctrl-C, and so would every program that a test
# starts. Tests send Ctrl-C to them.
signal.signal(signal.SIGINT, signal.default_int_handler)

# For tests that look at `--hypothesis-profile=thorough`.
settings.register_profile("thorough", max_examples=2000)
