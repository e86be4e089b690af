#!/bin/sh
# First of all: the settings make sense, and the object store has a certificate. What was found good is not looked at
# again as long as neither a setting nor the program changes: Compose comes here for each service that somebody starts,
# also in the middle of an incident. Arguments are those of check-settings.
set -eu
program=$(cd /opt/phytobatch && ls lib/python*/site-packages && find programs -name '*.py' -exec sha256sum {} + | sort)
now=$( (printf '%s\n' "$program" "$@"; env | grep '^PHYTOBATCH_' | sort) | sha256sum)
if [ "$(cat /certificate/checked 2>/dev/null)" != "$now" ]; then
  python -m api.admin check-settings "$@"
  python -m deploy.mutual_tls /certificate
  printf '%s\n' "$now" >/certificate/checked
fi
