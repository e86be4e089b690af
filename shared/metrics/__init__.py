"""What the programs tell Prometheus. Every metric stands once, in ``definitions``."""
