"""Retention: what is removed because its time is over, in small steps, each harmless to repeat."""
