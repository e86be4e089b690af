"""The terminal: tables, progress, words for sizes and times."""
