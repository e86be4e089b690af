"""The program that classifies: its tasks, and the pure inference below them."""
