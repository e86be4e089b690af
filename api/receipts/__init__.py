"""Receipts of removals: for operators who must be able to prove them."""
