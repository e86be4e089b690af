"""Files from the object store, by presigned address."""
