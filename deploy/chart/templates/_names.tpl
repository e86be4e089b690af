{{/* Names and labels. Those of a component are: (dict "root" $ "component" "api"). */}}

{{- define "phytobatch.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "phytobatch.name" -}}
{{- printf "%s-%s" (include "phytobatch.fullname" .root) .component -}}
{{- end -}}

{{- define "phytobatch.releaseLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "phytobatch.selector" -}}
{{ include "phytobatch.releaseLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "phytobatch.commonLabels" -}}
{{ include "phytobatch.releaseLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "phytobatch.labels" -}}
{{ include "phytobatch.commonLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "phytobatch.metadata" -}}
name: {{ include "phytobatch.name" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "phytobatch.labels" . | nindent 2 }}
{{- end -}}

{{- define "phytobatch.secret" -}}
{{- required "existingSecret: name the Secret with PHYTOBATCH_DATABASE_URL and PHYTOBATCH_REDIS_URL (docs/installation.md, Kubernetes)" .Values.existingSecret -}}
{{- end -}}

{{/* The name that clients use; empty where neither an ingress nor a gateway has one. */}}
{{- define "phytobatch.publicHost" -}}
{{- if .Values.ingress.enabled -}}
{{- .Values.ingress.host -}}
{{- else if .Values.gateway.enabled -}}
{{- with .Values.gateway.hostnames }}{{ first . }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "phytobatch.image" -}}
{{- $name := .image.name -}}
{{- with .root.Values.image.registry }}{{ $name = printf "%s/%s" (trimSuffix "/" .) $name }}{{ end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (.root.Values.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
