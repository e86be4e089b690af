"""Operator commands, by what they are about. ``api.admin`` lists them."""
