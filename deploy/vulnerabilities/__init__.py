"""Known vulnerabilities of the pinned packages, and the list of packages in each image (docs/maintenance.md)."""
