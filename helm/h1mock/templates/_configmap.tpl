{{/*
ConfigMap of provision files. A template of the chart with the files calls it:

    {{- include "h1mock.configmap" ( list $ $.Values.server1 "server1" ) }}

Items: the caller's scope, the values of the mock, and optionally the alias of the dependency. Makes nothing without
service.provisionsDir, or if `enabled` is false.
*/}}
{{- define "h1mock.configmap" -}}
{{- $root := first . -}}
{{- $values := index . 1 -}}
{{- if not (and (kindIs "map" $values) (eq (toString $values.enabled) "false")) -}}
{{- if not (and (kindIs "map" $values) (kindIs "map" $values.service) $values.service.name) -}}
{{- fail "failed to make a provision ConfigMap: the second item for `h1mock.configmap` must be the values of the mock, such as `list $ $.Values.server1 \"server1\"`, and the dependency enabled" -}}
{{- end -}}
{{- with $values.service.provisionsDir }}
{{- $alias := include "h1mock.configmap.alias" $ -}}
{{- $service := ternary $alias $values.service.name (eq $values.service.name "h1mock") -}}
{{- $name := printf "%s-provision-config" (include "h1mock.objectName" $service) -}}
{{- $data := include "h1mock.configmap.data" (list $root (clean .) $name) }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $name }}
  labels:
    {{- include "h1mock.labels" $root | nindent 4 }}
{{- $data }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
The alias of the mock with the given values: the third item, or the dependency with these values. If several dependencies have the
same values, the caller must name the alias, since a wrong guess would make a ConfigMap that no pod mounts.
*/}}
{{- define "h1mock.configmap.alias" -}}
{{- $root := first . -}}
{{- $values := index . 1 -}}
{{- if gt (len .) 2 -}}
{{- index . 2 -}}
{{- else if eq ($root.Values | toJson) ($values | toJson) -}}
{{- $root.Chart.Name -}}
{{- else -}}
{{- $found := list -}}
{{- range $root.Chart.Dependencies -}}
{{- if eq (get $root.Values .Name | toJson) ($values | toJson) -}}
{{- $found = append $found .Name -}}
{{- end -}}
{{- end -}}
{{- if and (gt (len $found) 1) (eq $values.service.name "h1mock") -}}
{{- fail (printf "failed to make a provision ConfigMap: the values of %s are the same, so name the alias as third item: `list $ $.Values.%s %q`" (join " and " $found) (last $found) (last $found)) -}}
{{- end -}}
{{- first $found | default "h1mock" -}}
{{- end -}}
{{- end -}}

{{/*
data and binaryData of the files in a folder. Items: scope, folder, name of the ConfigMap.
*/}}
{{- define "h1mock.configmap.data" -}}
{{- $root := index . 0 -}}
{{- $folder := index . 1 -}}
{{- $name := index . 2 -}}
{{- $files := dict -}}
{{- range $path, $_ := $root.Files.Glob (printf "%s/*" $folder) -}}
{{- if not (hasPrefix "." (base $path)) -}}
{{- $_ := set $files (base $path) ($root.Files.Get $path) -}}
{{- end -}}
{{- end -}}
{{- if not $files -}}
{{- fail (printf "failed to make ConfigMap `%s`: no file matches `%s/*`: the folder `%s` (service.provisionsDir) must be inside of the chart `%s`, copied or as a symbolic link, and not left out by its .helmignore" $name $folder $folder $root.Chart.Name) -}}
{{- end -}}
{{- include "h1mock.configmap.entries" (list $files $name (printf "%s/" $folder)) -}}
{{- end -}}

{{/*
data and binaryData of a map from names to contents. Items: map, name of the ConfigMap, prefix of the names in messages.
*/}}
{{- define "h1mock.configmap.entries" -}}
{{- $files := index . 0 -}}
{{- $name := index . 1 -}}
{{- $where := index . 2 -}}
{{- $data := dict -}}
{{- $binary := dict -}}
{{- $size := 0 -}}
{{- range $file, $content := $files -}}
{{- if or (gt (len $file) 253) (hasPrefix ".." $file) (eq "." $file) (not (regexMatch "^[-._a-zA-Z0-9]+$" $file)) -}}
{{- fail (printf "failed to make ConfigMap `%s`: `%s%s` can't be a key of it: only letters, digits, `-`, `_` and `.` can, at most 253" $name $where $file) -}}
{{- end -}}
{{- /* toJson replaces bytes that are no UTF-8 by U+FFFD. */ -}}
{{- if eq (dict "text" $content | toJson | fromJson).text $content -}}
{{- $_ := set $data $file $content -}}
{{- else -}}
{{- $_ := set $binary $file ($content | b64enc) -}}
{{- end -}}
{{- $size = add $size (len $file) (len $content) -}}
{{- end -}}
{{- if gt (int $size) 1048576 -}}
{{- fail (printf "failed to make ConfigMap `%s`: its files are %d bytes in all: a ConfigMap holds at most 1048576" $name $size) -}}
{{- end -}}
{{- with $data }}
data:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $binary }}
binaryData:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
