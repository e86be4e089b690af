"""What was removed, and when: for those who must be able to prove it."""
