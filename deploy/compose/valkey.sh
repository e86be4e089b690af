#!/bin/sh
# The password goes into a file in memory: arguments of a process can be read by every user of the host.
set -eu
: "${VALKEYCLI_AUTH:?there is no password}"
umask 077
cat >/tmp/valkey.conf <<CONFIGURATION
bind 0.0.0.0 ::
dir /data
appendonly yes
appendfsync everysec
save ""
maxmemory ${VALKEY_MAXMEMORY}
# Wake-up calls must not vanish silently when memory is short; a full Valkey refuses, and the sweep goes on without it.
maxmemory-policy noeviction
requirepass "${VALKEYCLI_AUTH}"
CONFIGURATION
exec valkey-server /tmp/valkey.conf
