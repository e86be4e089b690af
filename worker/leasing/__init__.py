"""The lowest floor of the worker: held chunks and their leases, slots, and the outcomes of a chunk."""
