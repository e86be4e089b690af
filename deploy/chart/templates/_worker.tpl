{{/* A pool of workers: (dict "root" $ "component" "worker" "values" .Values.worker "scaling" .Values.keda.worker ...). */}}
{{- define "phytobatch.worker" -}}
{{- $root := .root -}}
{{- $own := mustMerge (dict "PHYTOBATCH_SHUTDOWN_SECONDS" (toString $root.Values.shutdownSeconds) "PHYTOBATCH_CLASSIFIERS" (join "," (.values.classifiers | default list))) .own (include "phytobatch.metricsSettings" $root | fromJson) -}}
{{- $secrets := include "phytobatch.storeSecrets" $root | fromYamlArray -}}
{{- $pod := dict "root" $root "component" .component "values" .values "image" .values.image "account" "worker" "container" "worker" "spread" true -}}
{{- $_ := set $pod "args" (list "python" "-m" "worker" "--ready-file" "/tmp/worker.ready") -}}
{{- $_ := set $pod "ports" (include "phytobatch.metricsPort" $root | fromJsonArray) -}}
{{- $_ := set $pod "env" (include "phytobatch.settings" (dict "root" $root "values" .values "own" $own "secrets" $secrets "cpuAs" "PHYTOBATCH_DECODE_THREADS")) -}}
{{- $_ := set $pod "probes" (include "phytobatch.readyFileProbes" (dict "program" "worker" "startupSeconds" .values.startupSeconds "hangSeconds" 300)) -}}
{{- $_ := set $pod "graceSeconds" (include "phytobatch.graceSeconds" $root) -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "phytobatch.metadata" . | nindent 2 }}
spec:
  {{- if not $root.Values.keda.enabled }}
  replicas: {{ .values.replicas }}
  {{- end }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      {{- toYaml .rollingUpdate | nindent 6 }}
  selector:
    matchLabels:
      {{- include "phytobatch.selector" . | nindent 6 }}
  template:
    {{- include "phytobatch.pod" $pod | nindent 4 }}
{{- end -}}
