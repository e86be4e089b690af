"""Waiting for jobs: many clients, one look at Postgres for all of them."""
