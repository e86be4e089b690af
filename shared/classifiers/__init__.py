"""Which classifiers there are."""
