"""One image, one answer: the same road as a job, with somebody who waits at its end."""
