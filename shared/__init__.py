"""What the API and the worker both need, or what they agree on. Imports neither of them."""
