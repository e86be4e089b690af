{{/* Peers and ports as a rule: (dict "way" "to" "peers" (list ...) "ports" (list 5432)). Without peers: anybody. */}}
{{- define "phytobatch.rule" -}}
- ports:
    {{- range .ports }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
  {{- with .peers }}
  {{ $.way }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The networks that may use the API, as JSON. An empty list would be taken for everybody, so it is refused. */}}
{{- define "phytobatch.allowedCidrs" -}}
{{- if not .Values.ingress.allowedCidrs -}}
{{- fail "ingress.allowedCidrs: name the networks that may use the API; [0.0.0.0/0, \"::/0\"] says everybody" -}}
{{- end -}}
{{- toJson .Values.ingress.allowedCidrs -}}
{{- end -}}

{{/* Where names are resolved. */}}
{{- define "phytobatch.dnsRule" -}}
- ports:
    {{- range .ports }}
    - port: {{ . }}
      protocol: UDP
    - port: {{ . }}
      protocol: TCP
    {{- end }}
  to:
    {{- toYaml .to | nindent 4 }}
{{- end -}}

{{/* The servers that a program uses: (dict "root" $ "stores" (list "postgres" "redis")). */}}
{{- define "phytobatch.storeRules" -}}
{{- range .stores }}
{{- $store := index $.root.Values.networkPolicy . }}
{{ include "phytobatch.rule" (dict "way" "to" "peers" $store.to "ports" $store.ports) }}
{{- end }}
{{- end -}}

{{/* PHYTOBATCH_WEBHOOK_PORTS, as 443,8000-8999. */}}
{{- define "phytobatch.webhookPorts" -}}
{{- $config := mustMergeOverwrite (dict) .Values.config .Values.deliverer.config -}}
{{- range splitList "," ($config.PHYTOBATCH_WEBHOOK_PORTS | default "443,8443") }}
{{- $ends := splitList "-" (trim .) }}
- port: {{ first $ends | trim }}
  {{- if gt (len $ends) 1 }}
  endPort: {{ last $ends | trim }}
  {{- end }}
  protocol: TCP
{{- end }}
{{- end -}}

{{/* The internet without what is private, and the operator's own networks (PHYTOBATCH_WEBHOOK_NETWORKS). */}}
{{- define "phytobatch.webhookPeers" -}}
{{- $config := mustMergeOverwrite (dict) .Values.config .Values.deliverer.config -}}
{{- $except := .Values.networkPolicy.webhooks.except -}}
{{- range $network := .Values.networkPolicy.webhooks.networks }}
- ipBlock:
    cidr: {{ $network | quote }}
    except:
      {{- range $except }}
      {{- if eq (contains ":" .) (contains ":" $network) }}
      - {{ . | quote }}
      {{- end }}
      {{- end }}
{{- end }}
{{- range splitList "," ($config.PHYTOBATCH_WEBHOOK_NETWORKS | default "") }}
{{- with trim . }}
- ipBlock:
    cidr: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}
