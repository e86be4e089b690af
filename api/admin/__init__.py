"""The operator's program, ``python -m api.admin``: its commands, by what they are about. It is apart from HTTP."""
