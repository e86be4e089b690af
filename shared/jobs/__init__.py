"""Jobs: their states, the claims of workers on their chunks, and what is read of them."""
