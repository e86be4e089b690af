{{/*
The pod of a program: (dict "root" $ "component" "api" "values" .Values.api "image" .Values.api.image "account" "api"
"args" (list ...) "env" "..." "probes" "..." "ports" (list ...) "graceSeconds" 45 "preStopSeconds" 5 "spread" true).
*/}}
{{- define "phytobatch.pod" -}}
metadata:
  labels:
    {{- include "phytobatch.labels" . | nindent 4 }}
  {{- with .values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "phytobatch.name" (dict "root" .root "component" .account) }}
  automountServiceAccountToken: false
  # Kubernetes would set PHYTOBATCH_API_PORT=tcp://... for a service called phytobatch-api.
  enableServiceLinks: false
  {{- with .root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .values.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ .graceSeconds }}
  securityContext:
    runAsNonRoot: true
    {{- with include "phytobatch.user" .root | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    seccompProfile:
      type: RuntimeDefault
  {{- with .initContainers }}
  initContainers:
    {{- range . }}
    {{- include "phytobatch.container" . | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    {{- include "phytobatch.container" . | nindent 4 }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: {{ .values.temporaryStorage }}
    {{- with .root.Values.certificates.configMap }}
    - name: certificates
      configMap:
        name: {{ . }}
    {{- end }}
  {{- with .values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .spread }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      # Of one version: the pods that an upgrade takes away do not count.
      matchLabelKeys: [pod-template-hash]
      labelSelector:
        matchLabels:
          {{- include "phytobatch.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
{{- end -}}

{{- define "phytobatch.container" -}}
- name: {{ .container | default .component }}
  image: {{ include "phytobatch.image" . }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  # The entry point of the image is tini, which reaps children and passes signals on.
  args:
    {{- toYaml .args | nindent 4 }}
  env:
    {{- .env | trim | nindent 4 }}
  {{- with .ports }}
  ports:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .probes }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .preStopSeconds }}
  # Requests still come for a moment after the pod was taken off the list of endpoints.
  lifecycle:
    preStop:
      exec:
        command: ["sleep", {{ . | quote }}]
  {{- end }}
  resources:
    {{- include "phytobatch.resources" .values | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    runAsNonRoot: true
    {{- with .root.Values.podSecurity.runAsUser }}
    runAsUser: {{ int . }}
    {{- end }}
    capabilities:
      drop: [ALL]
    seccompProfile:
      type: RuntimeDefault
  volumeMounts:
    - name: tmp
      mountPath: /tmp
    {{- if .root.Values.certificates.configMap }}
    - name: certificates
      mountPath: /etc/phytobatch/certificates
      readOnly: true
    {{- end }}
{{- end -}}

{{/* Who runs it; a cluster that assigns users itself is given none (null). */}}
{{- define "phytobatch.user" -}}
{{- range $name, $number := .Values.podSecurity }}
{{- if not (kindIs "invalid" $number) }}
{{ $name }}: {{ int $number }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A quantity as 512Mi or 2Gi, in MiB. */}}
{{- define "phytobatch.mebibytes" -}}
{{- $number := regexFind "^[0-9]+" . | int64 -}}
{{- $unit := trimPrefix (toString $number) . -}}
{{- if eq $unit "Ki" -}}{{ div $number 1024 }}{{- else -}}{{ mul $number (get (dict "Mi" 1 "Gi" 1024 "Ti" 1048576) $unit) }}{{- end -}}
{{- end -}}

{{/*
The resources of a program, with room on the disk of its node for its folder, and for its logs. A cluster that gives a
pod some room by default (GKE Autopilot: 1 GiB) would evict it before its folder is full.
*/}}
{{- define "phytobatch.resources" -}}
{{- $room := printf "%dMi" (add (include "phytobatch.mebibytes" .temporaryStorage | int64) 256) -}}
{{- $resources := deepCopy .resources -}}
{{- range list "requests" "limits" -}}
{{- $named := get $resources . | default dict -}}
{{- $_ := set $resources . (mustMerge $named (dict "ephemeral-storage" $room)) -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* Longer than the program's own limit, so that it can hand back what it works on; a killed one leaves leases behind. */}}
{{- define "phytobatch.graceSeconds" -}}
{{- add .Values.shutdownSeconds 25 -}}
{{- end -}}

{{- define "phytobatch.metricsPort" -}}
{{- if .Values.metricsPort -}}
{{- list (dict "name" "metrics" "containerPort" (int .Values.metricsPort) "protocol" "TCP") | toJson -}}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{/* The file that a program touches every few seconds while it can work; the same command as in deploy/Dockerfile. */}}
{{- define "phytobatch.readyFile" -}}
exec:
  command:
    - python
    - -c
    - import os, sys, time; sys.exit(time.time() - os.stat('/tmp/{{ .program }}.ready').st_mtime > {{ .seconds }})
timeoutSeconds: 5
{{- end -}}

{{/*
(dict "program" "worker" "startupSeconds" 180 "hangSeconds" 300): the file appears when the program can work, its model
warm. A file that is older than `hangSeconds` means that the process hangs.
*/}}
{{- define "phytobatch.readyFileProbes" -}}
{{- $ready := include "phytobatch.readyFile" (dict "program" .program "seconds" 60) -}}
startupProbe:
  {{- $ready | nindent 2 }}
  periodSeconds: 5
  failureThreshold: {{ div .startupSeconds 5 }}
readinessProbe:
  {{- $ready | nindent 2 }}
  periodSeconds: 15
# For a process that hangs. Patient: an outage of a server is no reason to start anything again.
livenessProbe:
  {{- include "phytobatch.readyFile" (dict "program" .program "seconds" .hangSeconds) | nindent 2 }}
  periodSeconds: 60
  failureThreshold: 3
{{- end -}}
