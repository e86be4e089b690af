"""The register of classifiers, and their published files."""
