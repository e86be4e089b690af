"""Planning of flights and rounds: what a pixel shows from which height."""
