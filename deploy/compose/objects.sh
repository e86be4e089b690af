#!/bin/sh
# SeaweedFS with one S3 identity, and without what it has on by default and nobody asked for: telemetry, automatic
# buckets, an admin page, WebDAV. The flags are those of deploy/local/objects.py.
#
# Only S3 has a key of its own. Every other port, by HTTP and by gRPC, wants the certificate of security.toml, which
# SeaweedFS reads in its working folder (deploy/mutual_tls.py); without it nothing starts.
set -eu
: "${S3_ACCESS_KEY_ID:?there is no access key}" "${S3_SECRET_ACCESS_KEY:?there is no secret}"
for file in weed.crt weed.key security.toml; do
  [ -s "/certificate/$file" ] || { echo "/certificate/$file is missing: docker compose up -d settings" >&2; exit 1; }
done
umask 077
cat >/tmp/s3.json <<IDENTITY
{"identities": [{
  "name": "phytobatch",
  "credentials": [{"accessKey": "${S3_ACCESS_KEY_ID}", "secretKey": "${S3_SECRET_ACCESS_KEY}"}],
  "actions": ["Admin", "Read", "Write", "List", "Tagging"]
}]}
IDENTITY
# It remembers the flags of earlier starts.
rm -f /data/mini.options
# Nobody is asked for a key at its metrics, so they are served in the network of Prometheus alone.
watched=$(getent hosts objects-watch | cut -d ' ' -f 1 || true)
cd /certificate
exec weed -logtostderr=true mini -dir=/data -ip=127.0.0.1 -ip.bind=0.0.0.0 -s3.port=8333 \
  -s3.config=/tmp/s3.json -s3.port.iceberg=0 -s3.port.lance=0 -s3.iam=false -s3.autoCreateBucket=false \
  -admin.ui=false -webdav=false -master.telemetry=false -volume.preStopSeconds=0 -volume.max=10000 \
  -filer.localSocket=/tmp/filer.sock -s3.localSocket=/tmp/s3.sock \
  ${watched:+-metricsPort=9327 "-metricsIp=$watched"}
