{{/*
The open chunks of a pool of workers: (dict "classifiers" (list "leaf@1") "housekeeping" true).
Waiting (claimable now, and not paused) and running, from the partial indexes of either. Workers that name no classifiers serve the one
of their image, which the migration made the default. `housekeeping`: validation, inspection, removal and exports, which need no model.
*/}}
{{- define "phytobatch.openChunks" -}}
SELECT count(*)
FROM (
  SELECT pool FROM chunks WHERE state = 'running'
  UNION ALL
  SELECT pool FROM chunks WHERE state = 'ready' AND not_before <= now()
    AND tenant_id NOT IN (SELECT tenant_id FROM pauses WHERE tenant_id IS NOT NULL)
    AND pool NOT IN (
      SELECT prefix || classifier_id FROM pauses, (VALUES ('classify:'), ('tiles:'), ('isolated:'), ('isolated:tiles:'), ('explain:')) AS pools (prefix)
      WHERE classifier_id IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM pauses WHERE tenant_id IS NULL AND classifier_id IS NULL AND worker IS NULL)
) AS open
WHERE pool IN (
  SELECT prefix || id FROM classifiers, (VALUES ('classify:'), ('tiles:'), ('isolated:'), ('isolated:tiles:'), ('explain:')) AS pools (prefix)
  {{- if .classifiers }}
  WHERE name || '@' || version IN ('{{ join "', '" .classifiers }}')
  {{- else }}
  WHERE is_default
  {{- end }}
)
{{- if .housekeeping }} OR pool IN ('validate', 'inspect', 'purge', 'export'){{ end }}
{{- end -}}

{{/*
(dict "root" $ "component" "worker" "values" .Values.worker "scaling" .Values.keda.worker "housekeeping" true
"activation" 0): `activation` open chunks leave a pool at zero.
*/}}
{{- define "phytobatch.scaledObject" -}}
{{- $keda := .root.Values.keda -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "phytobatch.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    name: {{ include "phytobatch.name" . }}
  minReplicaCount: {{ .scaling.minReplicas }}
  maxReplicaCount: {{ .scaling.maxReplicas }}
  pollingInterval: {{ $keda.pollingSeconds }}
  cooldownPeriod: {{ $keda.cooldownSeconds }}
  {{- with .scaling.fallbackReplicas }}
  fallback:
    failureThreshold: 3
    replicas: {{ . }}
  {{- end }}
  triggers:
    - type: postgresql
      authenticationRef:
        name: {{ include "phytobatch.name" (dict "root" .root "component" "keda") }}
      metadata:
        query: |
          {{- include "phytobatch.openChunks" (dict "classifiers" .values.classifiers "housekeeping" .housekeeping) | nindent 10 }}
        targetQueryValue: {{ .scaling.chunksPerReplica | quote }}
        activationTargetQueryValue: {{ .activation | quote }}
{{- end -}}
