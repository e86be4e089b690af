"""Commands about jobs: which of them hang, what one of them waits for, and what can be done about it."""

from api.admin.jobs import ending, listing, purge, requeue, show

COMMANDS = (*listing.COMMANDS, *show.COMMANDS, *requeue.COMMANDS, *ending.COMMANDS, *purge.COMMANDS)
