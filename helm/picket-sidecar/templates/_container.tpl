{{/* The container itself; called by picket-sidecar.initContainers and picket-sidecar.containers. */}}
{{- define "picket-sidecar.container" -}}
{{- $sidecar := index .root.Values "picket-sidecar" -}}
- name: picket-proxy
  image: {{ include "picket-sidecar.image" . }}
  imagePullPolicy: {{ $sidecar.image.pullPolicy }}
  args:
    {{- include "picket-sidecar.args" . | nindent 4 }}
  {{- if include "picket-sidecar.isNative" . }}
  restartPolicy: Always
  {{- end }}
  env:
    - name: POD_NAMESPACE
      valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
    - name: POD_IP
      valueFrom: { fieldRef: { fieldPath: status.podIP } }
    {{- with $sidecar.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - name: {{ $sidecar.portName }}
      containerPort: {{ $sidecar.ports.proxy }}
      protocol: TCP
    - name: picket-admin
      containerPort: {{ $sidecar.ports.admin }}
      protocol: TCP
  # The next container starts when this one does: config read, scoring core compiled. The control plane is not asked.
  startupProbe:
    httpGet: { path: /startup, port: {{ $sidecar.ports.admin }} }
    periodSeconds: 1
    failureThreshold: 30
  readinessProbe:
    httpGet: { path: /ready, port: {{ $sidecar.ports.admin }} }
    periodSeconds: 2
  livenessProbe:
    httpGet: { path: /live, port: {{ $sidecar.ports.admin }} }
    periodSeconds: 10
    failureThreshold: 3
  # A local socket: draining must not be reachable from the network.
  lifecycle:
    preStop:
      exec:
        command: [picket, drain, --state-dir, /var/lib/picket]
  {{- with $sidecar.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $sidecar.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  terminationMessagePolicy: FallbackToLogsOnError
  volumeMounts:
    - name: picket-state
      mountPath: /var/lib/picket
    {{- if $sidecar.policy }}
    - name: picket-policy
      mountPath: /etc/picket/policy
      readOnly: true
    {{- end }}
    {{- if $sidecar.controlPlane.address }}
    - name: picket-control-plane
      mountPath: /etc/picket/control-plane
      readOnly: true
    {{- end }}
    {{- if $sidecar.identityKey.existingSecret }}
    - name: picket-identity-key
      mountPath: /etc/picket/identity
      readOnly: true
    {{- end }}
{{- end -}}

{{/* Arguments of `picket sidecar`; $(POD_NAMESPACE) and $(POD_IP) are filled in by the kubelet. */}}
{{- define "picket-sidecar.args" -}}
{{- $sidecar := index .root.Values "picket-sidecar" -}}
- sidecar
- --listen={{ $sidecar.listenHost }}:{{ $sidecar.ports.proxy }}
- --upstream=http://{{ $sidecar.upstreamHost }}:{{ required "picket-sidecar: appPort is missing in the dict" .appPort }}
- --admin={{ $sidecar.listenHost }}:{{ $sidecar.ports.admin }}
- --namespace=$(POD_NAMESPACE)
- --workload={{ $sidecar.workload | default .root.Release.Name }}
- --state-dir=/var/lib/picket
- --client-ip-source={{ $sidecar.clientIpSource }}
{{- with $sidecar.trustedProxies }}
- --trusted-proxies={{ join "," . }}
{{- end }}
- --identities={{ int $sidecar.identities }}
- --log-level={{ $sidecar.logLevel }}
- --drain-seconds={{ int $sidecar.drainSeconds }}
{{- if $sidecar.policy }}
- --policy=/etc/picket/policy/policy.yaml
{{- end }}
{{- if $sidecar.identityKey.existingSecret }}
- --identity-key-file=/etc/picket/identity/{{ $sidecar.identityKey.key }}
{{- end }}
{{- with $sidecar.controlPlane }}
{{- if .address }}
- --control-plane={{ .address }}
- --tls-ca=/etc/picket/control-plane/{{ .caKey }}
- --token-file=/etc/picket/control-plane/{{ .tokenKey }}
{{- end }}
{{- end }}
{{- with $sidecar.extraArgs }}
{{- range . }}
- {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}
