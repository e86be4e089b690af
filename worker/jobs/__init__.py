"""The runners of chunks, one file a kind. They are called by ``worker.loop`` and know nothing of it."""
