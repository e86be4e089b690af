{{/*
The environment of a program: (dict "root" $ "values" .Values.api "own" (dict ...) "secrets" (list ...) "cpuAs" "...").
`own` is what the chart decides by itself. files/settings.txt has every setting that is neither that nor a secret; a
contract test compares it with shared/settings.py.
*/}}
{{- define "phytobatch.settings" -}}
{{- $root := .root -}}
{{- $given := mustMergeOverwrite (dict) $root.Values.config .values.config -}}
{{- $known := splitList "\n" ($root.Files.Get "files/settings.txt" | trim) -}}
{{- range $name, $_ := $given -}}
{{- if not (has $name $known) -}}
{{- fail (printf "config.%s: not a setting that belongs here. docs/configuration.md has them all; secrets stand in existingSecret, and the chart itself sets what depends on its other values" $name) -}}
{{- end -}}
{{- end -}}
{{- $_ := required "config.PHYTOBATCH_S3_BUCKET: name the bucket that uploads are written to" $given.PHYTOBATCH_S3_BUCKET -}}
{{- $host := include "phytobatch.publicHost" $root -}}
{{- if and $host (not (hasKey $given "PHYTOBATCH_PUBLIC_URL")) -}}
{{- $_ := set $given "PHYTOBATCH_PUBLIC_URL" (printf "https://%s%s" $host (ternary $root.Values.ingress.path $root.Values.gateway.path $root.Values.ingress.enabled | trimSuffix "/")) -}}
{{- end -}}
{{- range $name, $value := mustMergeOverwrite (dict) $root.Values.certificates.environment $given .own }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- if and .cpuAs (not (hasKey $given .cpuAs)) }}
# A container sees every processor of its node; this is its share of them.
- name: {{ .cpuAs }}
  valueFrom:
    resourceFieldRef:
      resource: limits.cpu
      divisor: "1"
{{- end }}
{{- range .secrets }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ include "phytobatch.secret" $root }}
      key: {{ .name }}
      {{- if .optional }}
      optional: true
      {{- end }}
{{- end }}
{{- end -}}

{{- define "phytobatch.metricsSettings" -}}
{{- if .Values.metricsPort -}}
{{- dict "PHYTOBATCH_METRICS_HOST" .Values.listenAddress "PHYTOBATCH_METRICS_PORT" (toString .Values.metricsPort) | toJson -}}
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{/* Every program names database and queue; who holds which key is decided here. */}}
{{- define "phytobatch.serverSecrets" -}}
- name: PHYTOBATCH_DATABASE_URL
- name: PHYTOBATCH_REDIS_URL
{{- end -}}

{{- define "phytobatch.storeSecrets" -}}
{{ include "phytobatch.serverSecrets" . }}
- name: PHYTOBATCH_S3_ACCESS_KEY_ID
  optional: true
- name: PHYTOBATCH_S3_SECRET_ACCESS_KEY
  optional: true
{{- end -}}

{{- define "phytobatch.apiSecrets" -}}
{{ include "phytobatch.storeSecrets" . }}
- name: PHYTOBATCH_BOOTSTRAP_API_KEY
  optional: true
{{- end -}}
