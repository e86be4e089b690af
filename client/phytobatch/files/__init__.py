"""Local files: finding images, naming them, and their checksums."""
