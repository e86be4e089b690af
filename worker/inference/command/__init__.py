"""Parts of ``python -m worker.inference``: the plan of its tiles, and the lines that it prints."""
