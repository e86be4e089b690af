"""Jobs over HTTP: create, fill, commit, look, cancel, delete."""
