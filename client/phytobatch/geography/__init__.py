"""Sidecars: files beside the images that give their positions. The server reads them; here they are found and sent."""
