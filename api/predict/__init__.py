"""One image, one answer: a job like any other, whose client waits for its end."""
