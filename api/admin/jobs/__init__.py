"""Commands about jobs: list those that hang, show what one waits for, and move it on."""

from api.admin.jobs import ending, listing, purge, requeue, show

COMMANDS = (*listing.COMMANDS, *show.COMMANDS, *requeue.COMMANDS, *ending.COMMANDS, *purge.COMMANDS)
