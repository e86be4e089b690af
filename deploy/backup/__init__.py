"""Backup and restore of an installation: ``python -m deploy.backup create | verify | restore FOLDER``.

The order makes a backup complete while jobs run. Rows refer to objects, never the other way round, and a job's objects
are removed only after the job was deleted. So the database is saved first, as of one moment, and the objects after it:
every object that a row of that moment refers to still exists. An object that came later has no row and is harmless.
A restore goes the other way: objects first, then the rows that refer to them.
"""
