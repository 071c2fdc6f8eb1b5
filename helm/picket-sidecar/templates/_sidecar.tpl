{{/*
The sidecar for a workload's own chart. Each template takes one dict:
  root     the workload's root context ($)
  appPort  the port on which the app listens in its container
Values come from the key `picket-sidecar` of the workload's values, over this library's values.yaml.

  spec:
    {{- with include "picket-sidecar.initContainers" $picket }}
    initContainers:
      {{- . | nindent 6 }}
    {{- end }}
    containers:
      - name: app …
      {{- include "picket-sidecar.containers" $picket | nindent 6 }}
    volumes:
      {{- include "picket-sidecar.volumes" $picket | nindent 6 }}
*/}}

{{/* "true" when the sidecar is a native one, else empty. */}}
{{- define "picket-sidecar.isNative" -}}
{{- $native := toString (index .root.Values "picket-sidecar").native -}}
{{- if eq $native "true" -}}
true
{{- else if and (eq $native "auto") (semverCompare ">=1.33.0-0" .root.Capabilities.KubeVersion.Version) -}}
true
{{- end -}}
{{- end -}}

{{/* List items for initContainers; empty where the sidecar is an ordinary container. */}}
{{- define "picket-sidecar.initContainers" -}}
{{- if include "picket-sidecar.isNative" . -}}
{{- include "picket-sidecar.container" . -}}
{{- end -}}
{{- end -}}

{{/* List items for containers; empty where the sidecar is a native one. */}}
{{- define "picket-sidecar.containers" -}}
{{- if not (include "picket-sidecar.isNative" .) -}}
{{- include "picket-sidecar.container" . -}}
{{- end -}}
{{- end -}}

{{- define "picket-sidecar.image" -}}
{{- $image := (index .root.Values "picket-sidecar").image -}}
{{- $global := .root.Values.global | default dict -}}
{{- $registry := $global.imageRegistry | default $image.registry -}}
{{- $name := ternary (printf "%s/%s" $registry $image.repository) $image.repository (ne $registry "") -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name ($image.tag | default (index .root.Subcharts "picket-sidecar").Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "picket-sidecar.policyName" -}}
{{- printf "%s-picket-policy" .root.Release.Name | trunc 63 -}}
{{- end -}}

{{/* Labels for the pod template: what NetworkPolicies and the coverage of the fleet look for. */}}
{{- define "picket-sidecar.podLabels" -}}
picket.dev/sidecar: "true"
{{- end -}}

{{/* Annotations for the pod template: kubectl logs and exec still mean the app. Dict also takes "app", its name. */}}
{{- define "picket-sidecar.podAnnotations" -}}
kubectl.kubernetes.io/default-container: {{ .app | default "app" }}
{{- end -}}

{{/* A ConfigMap with the first policy, when one is set: include it as a manifest of the workload's chart. */}}
{{- define "picket-sidecar.policy" -}}
{{- with (index .root.Values "picket-sidecar").policy }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "picket-sidecar.policyName" $ }}
  namespace: {{ $.root.Release.Namespace }}
data:
  policy.yaml: |
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}

{{- define "picket-sidecar.volumes" -}}
{{- $sidecar := index .root.Values "picket-sidecar" -}}
# Last good policy and bundle; survives the container, not the pod.
- name: picket-state
  emptyDir: { sizeLimit: 64Mi }
{{- if $sidecar.policy }}
- name: picket-policy
  configMap:
    name: {{ include "picket-sidecar.policyName" . }}
{{- end }}
{{- if $sidecar.controlPlane.address }}
- name: picket-control-plane
  secret:
    secretName: {{ $sidecar.controlPlane.existingSecret }}
{{- end }}
{{- with $sidecar.identityKey.existingSecret }}
- name: picket-identity-key
  secret:
    secretName: {{ . }}
{{- end }}
{{- end -}}
