"""``python -m api.limits``: the tables of ``docs/limits.md``."""

from api.limits.table import tables

if __name__ == "__main__":
    print(tables())  # this is the command's answer
