"""Where images were taken: what the client, a sidecar and the file say, and which of them counts."""
