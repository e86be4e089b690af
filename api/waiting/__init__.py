"""Waiting for jobs: many clients, one poll of Postgres for all of them."""
