"""The cellar of the worker: claimed chunks, their leases, the slots that they take, and how the work on one ends."""
