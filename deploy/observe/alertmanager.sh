#!/bin/sh
# Alertmanager reads no environment, and the address of a receiver is often a secret: so the configuration is made here,
# in memory. The program and its flags are the arguments: alertmanager.sh /bin/alertmanager --storage.path=/alertmanager
#
# critical: again each hour while it lasts. warning: once a day. info: seen by who looks, sent to nobody.
set -eu
umask 077
configuration=${ALERTMANAGER_CONFIGURATION:-/tmp/alertmanager.yml}
receiver=nobody
if [ -n "${ALERT_WEBHOOK_URL:-}" ]; then receiver=webhook; fi
cat >"$configuration" <<CONFIGURATION
route:
  receiver: $receiver
  group_by: [alertname]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 1d
  routes:
    - matchers: [severity="info"]
      receiver: nobody
    - matchers: [severity="critical"]
      receiver: $receiver
      group_wait: 10s
      repeat_interval: 1h
# One cause, one call.
inhibit_rules:
  - source_matchers: [alertname="PhytobatchDiskAlmostFull"]
    target_matchers: [alertname="PhytobatchDiskFills"]
    equal: [instance, device]
  - source_matchers: [alertname="PhytobatchDatabaseDown"]
    target_matchers: [alertname=~"PhytobatchDatabaseUnsteady|PhytobatchApiErrors|PhytobatchProxyErrors"]
receivers:
  - name: nobody
CONFIGURATION
if [ "$receiver" = webhook ]; then
  # In single quotes, where YAML takes everything as it is but the quote itself.
  quoted=$(printf %s "$ALERT_WEBHOOK_URL" | sed "s/'/''/g")
  printf "  - name: webhook\n    webhook_configs:\n      - url: '%s'\n        send_resolved: true\n" "$quoted" \
    >>"$configuration"
fi
program=$1
shift
exec "$program" "--config.file=$configuration" "$@"
