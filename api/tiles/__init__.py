"""Maps of tiles over HTTP."""
