"""The places of images, by client, sidecar or file, and which of them counts."""
