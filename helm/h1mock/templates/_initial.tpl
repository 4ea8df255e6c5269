{{/*
Name of the provision that the chart gives as the first one. A pod must load it once, or it isn't started: the mock itself would
go on with its built-in provision, which answers 404. Empty where the chart gives none, where the values say what to require, and
without the admin port, where the mock can't be asked.
*/}}
{{- define "h1mock.initial" -}}
{{- $required := .Values.settings.requireProvision -}}
{{- if and .Values.service.admin.enabled (not (kindIs "bool" $required)) (not $required) -}}
{{- $names := keys .Values.provisions -}}
{{- with .Values.service.provisionsDir -}}
{{- if $.Chart.IsRoot -}}
{{- range $path, $_ := $.Files.Glob (printf "%s/*" (clean .)) }}{{ $names = append $names (base $path) }}{{ end -}}
{{- else -}}
{{- /* A dependency can't see the files of its parent. Without any `initial` the built-in provision has that name, and is right;
       one of the name `initial.rhai` is refused by h1mock.configmap. */ -}}
{{- $names = append $names "initial" -}}
{{- end -}}
{{- end -}}
{{- /* What a ConfigMap that is made elsewhere holds nobody knows here; an `initial` of it would come before an `initial.rhai`. */ -}}
{{- if has "initial" $names -}}
initial
{{- else if and (has "initial.rhai" $names) (not .Values.provisionsConfigMap) -}}
initial.rhai
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
Refuses files of a dependency whose first provision is named `initial.rhai`. Items: values of the mock, file names of its folder,
name of the ConfigMap.
*/}}
{{- define "h1mock.initial.check" -}}
{{- $values := index . 0 -}}
{{- $names := concat (index . 1) (keys ($values.provisions | default dict)) -}}
{{- $required := ($values.settings | default dict).requireProvision -}}
{{- if and (has "initial.rhai" $names) (not (has "initial" $names)) (not (kindIs "bool" $required)) (not $required) -}}
{{- fail (printf "failed to make ConfigMap `%s`: a dependency can't see that its first provision is named `initial.rhai`, and its pods would wait for `initial`: rename it to `initial`, or set settings.requireProvision to false" (index . 2)) -}}
{{- end -}}
{{- end -}}
