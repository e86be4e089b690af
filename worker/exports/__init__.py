"""Making exports beside the chunks: claim, read page by page, write to the object store, one transaction at the end."""
