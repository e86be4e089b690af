"""What a person sees: tables, progress, words for sizes and times."""
