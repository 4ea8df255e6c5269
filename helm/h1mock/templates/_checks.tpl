{{/*
What the schema can't say. Fails where values contradict each other.
*/}}
{{- define "h1mock.checks" -}}
{{- $service := .Values.service -}}
{{- $settings := .Values.settings -}}
{{- if and $service.admin.enabled (eq (int $service.traffic_port) (int $service.admin_port)) -}}
{{- fail (printf "failed to make Service `%s`: service.traffic_port and service.admin_port are both %d" (include "h1mock.serviceName" .) (int $service.admin_port)) -}}
{{- end -}}
{{- if and .Values.adminToken.existingSecret .Values.adminToken.value -}}
{{- fail "failed to pass the admin token: adminToken.existingSecret and adminToken.value are both set" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not $service.admin.enabled) -}}
{{- fail "failed to make the ServiceMonitor: metrics are on the admin port, and service.admin.enabled is false" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "failed to make the HorizontalPodAutoscaler: autoscaling.minReplicas is more than autoscaling.maxReplicas" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "failed to make the Ingress: ingress.hosts is empty" -}}
{{- end -}}
{{- $stop := add (int $settings.drainSeconds) (int $settings.graceSeconds) -}}
{{- with int .Values.terminationGracePeriodSeconds -}}
{{- if lt . (int $stop) -}}
{{- fail (printf "failed to make the Deployment: terminationGracePeriodSeconds is %d, but drain and grace take %d s (settings.drainSeconds, settings.graceSeconds)" . $stop) -}}
{{- end -}}
{{- end -}}
{{- end -}}
