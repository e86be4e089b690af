"""The code that API and worker share: contracts, settings, tables, job lifecycle, object store. Imports neither."""
