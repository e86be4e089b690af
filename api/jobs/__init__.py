"""Jobs over HTTP: create, fill, commit, get, cancel, delete."""
