"""Plain data that the programs say to each other: pydantic and the standard library, nothing else."""
