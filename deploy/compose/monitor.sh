#!/bin/sh
# The password goes by the environment: arguments of a process can be read by every user of the host.
set -eu
: "${MONITOR_PASSWORD:?there is no password for the exporter}"
exec psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 <<'STATEMENTS'
\getenv password MONITOR_PASSWORD
SELECT 'CREATE ROLE phytobatch_monitor' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'phytobatch_monitor') \gexec
ALTER ROLE phytobatch_monitor LOGIN CONNECTION LIMIT 5 PASSWORD :'password';
GRANT pg_monitor TO phytobatch_monitor;
STATEMENTS
