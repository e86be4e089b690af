"""Where images were taken, over HTTP."""
