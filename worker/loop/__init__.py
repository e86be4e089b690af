"""The top floor of the worker: claims chunks, runs them, polls when no message comes, and sweeps."""
