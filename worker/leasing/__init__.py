"""The lowest floor of the worker: leases of chunks, slots, and the outcomes of a chunk."""
