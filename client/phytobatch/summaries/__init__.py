"""What a whole job says, as the server counts it."""
