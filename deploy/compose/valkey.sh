#!/bin/sh
# The password goes into a file in memory: arguments of a process can be read by every user of the host.
set -eu
: "${VALKEYCLI_AUTH:?there is no password}" "${MONITOR_PASSWORD:?there is no password for the exporter}"
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
# For the exporter: numbers about the server, no key and no channel.
user monitor on >${MONITOR_PASSWORD} resetkeys resetchannels -@all +ping +info +config|get +slowlog|len +slowlog|get +latency|latest +client|setname
CONFIGURATION
exec valkey-server /tmp/valkey.conf
