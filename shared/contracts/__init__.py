"""The plain data that the programs exchange: pydantic and the standard library, nothing else."""
