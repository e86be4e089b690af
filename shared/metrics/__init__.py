"""The metrics of the programs for Prometheus. Every metric is defined once, in ``definitions``."""
