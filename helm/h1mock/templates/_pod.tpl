{{/*
Security context of the pods. For ports below 1024 it sets a sysctl that Pod Security calls safe; so they need no capability.
*/}}
{{- define "h1mock.podSecurityContext" -}}
{{- $context := deepCopy (.Values.podSecurityContext | default dict) -}}
{{- $service := .Values.service -}}
{{- if or (lt (int $service.traffic_port) 1024) (and $service.admin.enabled (lt (int $service.admin_port) 1024)) -}}
{{- $sysctls := $context.sysctls | default list -}}
{{- $names := list -}}
{{- range $sysctls }}{{ $names = append $names .name }}{{ end -}}
{{- if not (has "net.ipv4.ip_unprivileged_port_start" $names) -}}
{{- $sysctls = append $sysctls (dict "name" "net.ipv4.ip_unprivileged_port_start" "value" "0") -}}
{{- end -}}
{{- $_ := set $context "sysctls" $sysctls -}}
{{- end -}}
{{- toYaml $context -}}
{{- end -}}

{{/*
Positional arguments of h1mock. The third one is empty if only the fourth is set.
*/}}
{{- define "h1mock.args" -}}
{{- $service := .Values.service -}}
{{- $args := list (toString $service.traffic_port) (toString $service.admin_port) -}}
{{- if or $service.verbosity.enabled $service.ipv6.enabled -}}
{{- $args = append $args (ternary "verbose" "" $service.verbosity.enabled) -}}
{{- end -}}
{{- if $service.ipv6.enabled -}}
{{- $args = append $args "true" -}}
{{- end -}}
{{- toYaml (concat $args .Values.extraArgs) -}}
{{- end -}}

{{/*
Variables of the container. The ports are variables too, for `h1mock get` and `h1mock probe` in the pod. extraEnv can replace each one.
*/}}
{{- define "h1mock.env" -}}
{{- $service := .Values.service -}}
{{- $settings := .Values.settings -}}
{{- $own := list
  (dict "name" "H1MOCK_TRAFFIC_PORT" "value" (toString $service.traffic_port))
  (dict "name" "H1MOCK_ADMIN_PORT" "value" (toString $service.admin_port))
  (dict "name" "H1MOCK_DRAIN" "value" (printf "%ds" (int $settings.drainSeconds)))
  (dict "name" "H1MOCK_GRACE" "value" (printf "%ds" (int $settings.graceSeconds)))
  (dict "name" "H1MOCK_ON_ERROR" "value" $settings.onError)
  (dict "name" "H1MOCK_LOG_FORMAT" "value" $settings.logFormat)
-}}
{{- with int $settings.workers }}{{ $own = append $own (dict "name" "H1MOCK_WORKERS" "value" (toString .)) }}{{ end -}}
{{- with $settings.requireProvision }}{{ $own = append $own (dict "name" "H1MOCK_REQUIRE_PROVISION" "value" .) }}{{ end -}}
{{- if $settings.keepStore }}{{ $own = append $own (dict "name" "H1MOCK_KEEP_STORE" "value" "true") }}{{ end -}}
{{- with kindIs "string" $settings.storeBytes | ternary $settings.storeBytes (printf "%d" (int64 $settings.storeBytes)) -}}
{{- $own = append $own (dict "name" "H1MOCK_STORE_BYTES" "value" .) -}}
{{- end -}}
{{- /* 0 switches the journal off. Large numbers are floats in helm, and would be written with an exponent. */ -}}
{{- with kindIs "string" $settings.journalBytes | ternary $settings.journalBytes (printf "%d" (int64 $settings.journalBytes)) -}}
{{- $own = append $own (dict "name" "H1MOCK_JOURNAL_BYTES" "value" .) -}}
{{- end -}}
{{- if $settings.explain }}{{ $own = append $own (dict "name" "H1MOCK_EXPLAIN" "value" "true") }}{{ end -}}
{{- with $settings.clock }}{{ $own = append $own (dict "name" "H1MOCK_CLOCK" "value" .) }}{{ end -}}
{{- with kindIs "string" $settings.seed | ternary $settings.seed (printf "%d" (int64 $settings.seed)) -}}
{{- $own = append $own (dict "name" "H1MOCK_SEED" "value" .) -}}
{{- end -}}
{{- with $settings.cors }}{{ $own = append $own (dict "name" "H1MOCK_CORS" "value" (join "," .)) }}{{ end -}}
{{- with int $settings.trustProxy }}{{ $own = append $own (dict "name" "H1MOCK_TRUST_PROXY" "value" (toString .)) }}{{ end -}}
{{- if $settings.compress }}{{ $own = append $own (dict "name" "H1MOCK_COMPRESS" "value" "true") }}{{ end -}}
{{- with $settings.allowOutgoing }}{{ $own = append $own (dict "name" "H1MOCK_ALLOW_OUTGOING" "value" (join "," .)) }}{{ end -}}
{{- if ne (int $settings.callbackWorkers) 4 }}{{ $own = append $own (dict "name" "H1MOCK_CALLBACK_WORKERS" "value" (toString (int $settings.callbackWorkers))) }}{{ end -}}
{{- with $settings.forwardUnmatched }}{{ $own = append $own (dict "name" "H1MOCK_FORWARD_UNMATCHED" "value" .) }}{{ end -}}
{{- with $settings.failOn }}{{ $own = append $own (dict "name" "H1MOCK_FAIL_ON" "value" (join "," .)) }}{{ end -}}
{{- if not $service.admin.enabled }}{{ $own = append $own (dict "name" "H1MOCK_NO_ADMIN" "value" "true") }}{{ end -}}
{{- with include "h1mock.tokenSecret" . -}}
{{- $reference := dict "name" . "key" $.Values.adminToken.key -}}
{{- $own = append $own (dict "name" "H1MOCK_ADMIN_TOKEN" "valueFrom" (dict "secretKeyRef" $reference)) -}}
{{- end -}}
{{- if $service.admin.enabled -}}
{{- $hosts := prepend .Values.admin.hosts (printf "%s.%s" (include "h1mock.serviceName" .) .Release.Namespace) -}}
{{- $own = append $own (dict "name" "H1MOCK_ADMIN_HOST" "value" (join "," $hosts)) -}}
{{- end -}}
{{- $given := list -}}
{{- range .Values.extraEnv }}{{ $given = append $given .name }}{{ end -}}
{{- $env := list -}}
{{- range $own }}{{ if not (has .name $given) }}{{ $env = append $env . }}{{ end }}{{ end -}}
{{- toYaml (concat $env .Values.extraEnv) -}}
{{- end -}}

{{/*
A probe. Items: scope, times, path on the admin port, and optionally arguments of h1mock in place of the path. The kubelet shows the
output of a command, but only the status of an HTTP answer.
*/}}
{{- define "h1mock.probe" -}}
{{- $root := index . 0 -}}
{{- if not $root.Values.service.admin.enabled -}}
tcpSocket:
  port: http-traffic
{{- else if index . 3 -}}
exec:
  command:
    {{- toYaml (prepend (index . 3) "h1mock") | nindent 4 }}
{{- else -}}
httpGet:
  path: {{ index . 2 }}
  port: http-admin
{{- end }}
{{- with index . 1 }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
The volume at /config. It is mounted without subPath, so that changes arrive, and optional, so that a pod starts without it. If
several sources have a file, the kubelet uses the last one.
*/}}
{{- define "h1mock.configVolume" -}}
name: provision-config
projected:
  sources:
    - configMap:
        name: {{ include "h1mock.serviceName" . }}-provision-config
        optional: true
    {{- with .Values.provisionsConfigMap }}
    - configMap:
        name: {{ . | quote }}
        optional: true
    {{- end }}
    {{- if .Values.provisions }}
    - configMap:
        name: {{ include "h1mock.fullname" . }}-provisions
        optional: true
    {{- end }}
{{- end -}}

{{/*
The container of the pod of `helm test`, without its name. Items: scope, arguments of h1mock.
*/}}
{{- define "h1mock.testContainer" -}}
{{- $root := index . 0 -}}
image: {{ include "h1mock.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
terminationMessagePolicy: FallbackToLogsOnError
args:
  {{- toYaml (index . 1) | nindent 2 }}
resources:
  {{- toYaml $root.Values.resources | nindent 2 }}
securityContext:
  {{- toYaml $root.Values.securityContext | nindent 2 }}
{{- end -}}
