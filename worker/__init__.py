"""The worker and the deliverer: `leasing`, `jobs` and `loop`, `webhooks`, and pure `inference` below them."""
