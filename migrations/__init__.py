"""Alembic migrations. ``python -m api.admin migrate`` runs them."""
