"""What worker and deliverer tell Prometheus. The deliverer must not import what needs an inference library."""
