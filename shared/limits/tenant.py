"""A limit of a tenant: its own if the operator set one, otherwise the setting of the same name."""


def effective(own: int | None, setting: int) -> int | None:
    """Return the effective limit; ``None`` for no limit (0 at the tenant or in the setting)."""
    chosen = setting if own is None else own
    return chosen or None
