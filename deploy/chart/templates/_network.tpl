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
{{- $entry := trim . }}
{{- if and $entry (not (regexMatch (include "phytobatch.networkWithPorts" $) $entry)) }}
- ipBlock:
    cidr: {{ $entry | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* 10.1.2.0/24:8080 and [fd00::/8]:8000-8099: a network with ports of its own. */}}
{{- define "phytobatch.networkWithPorts" -}}
^(?:\[([^\]]+)\]|([0-9./]+)):([0-9]+)(?:-([0-9]+))?$
{{- end -}}

{{/* A rule for each of those. */}}
{{- define "phytobatch.webhookOwnPorts" -}}
{{- $config := mustMergeOverwrite (dict) .Values.config .Values.deliverer.config -}}
{{- $form := include "phytobatch.networkWithPorts" . -}}
{{- range splitList "," ($config.PHYTOBATCH_WEBHOOK_NETWORKS | default "") }}
{{- $entry := trim . }}
{{- if regexMatch $form $entry }}
- ports:
    - port: {{ regexReplaceAll $form $entry "${3}" }}
      {{- with regexReplaceAll $form $entry "${4}" }}
      endPort: {{ . }}
      {{- end }}
      protocol: TCP
  to:
    - ipBlock:
        cidr: {{ regexReplaceAll $form $entry "${1}${2}" | quote }}
{{- end }}
{{- end }}
{{- end -}}
