{{- define "ct-h1mock.name" -}}
{{- include "h1mock.objectName" (.Values.nameOverride | default .Chart.Name) -}}
{{- end -}}

{{/*
Name of the Deployment: release and chart, or the release alone where that has the chart's name in it.
*/}}
{{- define "ct-h1mock.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- if .Values.fullnameOverride -}}
{{- include "h1mock.objectName" .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- include "h1mock.objectName" .Release.Name -}}
{{- else -}}
{{- include "h1mock.objectName" (printf "%s-%s" .Release.Name $name) -}}
{{- end -}}
{{- end -}}

{{- define "ct-h1mock.labels" -}}
helm.sh/chart: {{ include "h1mock.chart" . }}
{{ include "ct-h1mock.selectorLabels" . }}
{{- with .Chart.AppVersion }}
app.kubernetes.io/version: {{ . | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "ct-h1mock.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ct-h1mock.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}
