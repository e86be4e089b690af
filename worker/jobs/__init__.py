"""Running the chunks of jobs: claim, work, one transaction at the end."""
