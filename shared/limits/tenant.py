"""A limit of a tenant: its own where the operator gave it one, otherwise the setting of the same name."""


def effective(own: int | None, setting: int) -> int | None:
    """The limit that holds; ``None``: there is none (0 says so, at the tenant or in the setting)."""
    chosen = setting if own is None else own
    return chosen or None
