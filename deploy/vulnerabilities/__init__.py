"""Known vulnerabilities of the packages that are pinned, and lists of what is in each image (docs/maintenance.md)."""
