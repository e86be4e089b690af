{{- define "phytobatch.apiProbes" -}}
startupProbe:
  httpGet:
    path: /healthz
    port: http
  periodSeconds: 2
  failureThreshold: 60
# Asks database and object store, each for two seconds at most. A short outage is answered by the API itself, with 503
# and Retry-After; after three failures the pod takes no more requests.
readinessProbe:
  httpGet:
    path: /readyz
    port: http
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
# Asks nothing of anybody, so that an outage elsewhere starts nothing again.
livenessProbe:
  httpGet:
    path: /healthz
    port: http
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}
