"""What ``python -m worker.inference`` does beside classifying: it plans tiles, and prints."""
