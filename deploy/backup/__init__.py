"""Backup and restore of an installation: ``python -m deploy.backup create | verify | restore FOLDER``.

The order is what makes it whole while jobs run. Rows refer to objects, never the other way round, and a job's objects
are removed after the job was deleted alone. So the database is saved first, as of one moment, and the objects after
it: every object that a row of that moment refers to is still there. An object that came later has no row and harms
nobody. Back the other way: objects first, then the rows that refer to them.
"""
