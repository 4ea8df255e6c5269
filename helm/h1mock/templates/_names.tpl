{{/*
Converts a text to a name that Kubernetes accepts: DNS-1035, at most 63 characters. Item: text.
*/}}
{{- define "h1mock.objectName" -}}
{{- . | lower | replace "_" "-" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
Value of app.kubernetes.io/name. In a dependency with an alias, helm uses the alias as the chart's name. So aliases in one release
select different pods.
*/}}
{{- define "h1mock.name" -}}
{{- include "h1mock.objectName" (.Values.nameOverride | default .Chart.Name) -}}
{{- end -}}

{{/*
Name of the Service: service.name, or the alias if service.name has its default.
*/}}
{{- define "h1mock.serviceName" -}}
{{- $name := .Values.service.name -}}
{{- if eq $name "h1mock" -}}
{{- $name = .Chart.Name -}}
{{- end -}}
{{- include "h1mock.objectName" $name -}}
{{- end -}}

{{/*
Name of all other objects.
*/}}
{{- define "h1mock.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- include "h1mock.objectName" .Values.fullnameOverride -}}
{{- else -}}
{{- include "h1mock.serviceName" . -}}
{{- end -}}
{{- end -}}

{{- define "h1mock.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "h1mock.labels" -}}
helm.sh/chart: {{ include "h1mock.chart" . }}
{{ include "h1mock.selectorLabels" . }}
{{- with .Chart.AppVersion }}
app.kubernetes.io/version: {{ . | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "h1mock.selectorLabels" -}}
app.kubernetes.io/name: {{ include "h1mock.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "h1mock.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "h1mock.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "h1mock.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{/*
Name of the Secret with the admin token; empty without a token.
*/}}
{{- define "h1mock.tokenSecret" -}}
{{- if not .Values.service.admin.enabled -}}
{{- else if .Values.adminToken.existingSecret -}}
{{- .Values.adminToken.existingSecret -}}
{{- else if .Values.adminToken.value -}}
{{- printf "%s-admin-token" (include "h1mock.fullname" .) -}}
{{- end -}}
{{- end -}}
