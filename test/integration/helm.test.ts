// The charts through real helm, versions 3 and 4: lint, render matrix, Kubernetes schemas, what must never be rendered,
// what the values schema refuses. Needs `npm run tools -- helm helm3 k8s-schemas`; says what it skips.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkControlPlaneConfig, requireProtection } from '../../control-plane/config.ts';
import { CONTROL_PLANE_OPTIONS } from '../../control-plane/control-plane-options.ts';
import { parseOptions } from '../../domain/options.ts';
import { parsePolicy } from '../../domain/policy-schema.ts';
import { checkSidecarConfig } from '../../proxy/config.ts';
import { SIDECAR_OPTIONS } from '../../proxy/sidecar-options.ts';
import { findTool } from '../../scripts/tools.ts';
import { HelmRig, type KubeObject, KubeSchemas, type RenderOptions } from './helm-rig.ts';

const PICKET_FILES = [[], ['ci/everything-values.yaml'], ['ci/ephemeral-values.yaml']];
const ORDERS = 'picket-sidecar/examples/orders';
const EVERY_SIDECAR_VALUE = {
  'picket-sidecar': {
    native: true,
    workload: 'orders-v2',
    identityKey: { existingSecret: 'identity' },
    clientIpSource: 'forwarded',
    extraArgs: ['--body-max-bytes=1048576'],
    extraEnv: [{ name: 'NODE_OPTIONS', value: '--max-semi-space-size=4' }],
    image: { digest: `sha256:${'0'.repeat(64)}` },
    securityContext: { runAsUser: null, runAsGroup: null },
  },
};
const MATRIX: readonly RenderOptions[] = ['1.29.0', '1.33.0', '1.36.0'].flatMap((kubeVersion) => [
  ...PICKET_FILES.map((files) => ({ chart: 'picket', kubeVersion, files })),
  { chart: ORDERS, kubeVersion },
  { chart: ORDERS, kubeVersion, values: EVERY_SIDECAR_VALUE },
  {
    chart: ORDERS,
    kubeVersion,
    values: { 'picket-sidecar': { controlPlane: { address: '' }, policy: null } },
  },
]);

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly restartPolicy?: string;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts?: readonly { readonly name: string }[];
}

interface PodSpec {
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
}

function podOf(objects: readonly KubeObject[]): PodSpec {
  const deployment = objects.find((object) => object.kind === 'Deployment')!;
  return (deployment['spec'] as { template: { spec: PodSpec } }).template.spec;
}

const containersOf = (pod: PodSpec) => [...(pod.initContainers ?? []), ...pod.containers];

describe.each(['helm', 'helm3'])('charts with %s', (tool) => {
  const binary = findTool(tool);
  if (binary === undefined) {
    it.skip(`${tool} is absent: npm run tools -- ${tool}`);
    return;
  }
  let helm: HelmRig;
  beforeAll(() => {
    helm = new HelmRig(binary);
  });
  afterAll(() => helm.close());

  it.each([
    ['picket', []],
    ['picket', ['ci/everything-values.yaml']],
    ['picket', ['ci/ephemeral-values.yaml']],
    [ORDERS, []],
  ])('lint --strict %s %j', (chart, files) => {
    const values = files.flatMap((file) => ['--values', `${helm.chart(chart)}/${file}`]);
    const linted = helm.run(['lint', '--strict', helm.chart(chart), ...values]);
    expect(linted.text).toContain('0 chart(s) failed');
    expect(linted.ok).toBe(true);
  });

  it('lints the library chart', () => {
    expect(helm.run(['lint', '--strict', helm.chart('picket-sidecar')]).text).toContain('0 chart(s) failed');
  });

  it.each(MATRIX)('renders the same bytes twice, and no secret: %j', (options) => {
    const first = helm.template(options);
    expect(first.ok ? '' : first.text).toBe('');
    expect(helm.template(options).text).toBe(first.text);
    expect(first.text).not.toMatch(/^kind: Secret$/m);
    expect(first.text).not.toMatch(/caBundle|BEGIN [A-Z ]+|^ *(password|token|apiKey): /m);
  });

  it.each(MATRIX)('renders pods that the restricted standard takes: %j', (options) => {
    const pod = podOf(helm.objects(options));
    for (const container of containersOf(pod)) {
      const context: Record<string, unknown> = { ...pod.securityContext, ...container.securityContext };
      expect(context).toMatchObject({
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(context['runAsUser']).not.toBe(0);
      for (const mount of container.volumeMounts ?? []) {
        expect(pod.volumes.map((volume) => volume.name)).toContain(mount.name);
      }
    }
  });

  it('renders policies that Picket takes', () => {
    for (const options of MATRIX) {
      for (const object of helm.objects(options)) {
        const policy = (object['data'] as Record<string, string> | undefined)?.['policy.yaml'];
        if (policy !== undefined) expect(parsePolicy(policy)).toMatchObject({ fleet: { mode: 'monitor' } });
      }
    }
  });

  it('starts both with arguments that they take', () => {
    for (const options of MATRIX) {
      for (const { args: [role, ...args] = [], name } of containersOf(podOf(helm.objects(options)))) {
        if (role === 'control-plane') {
          const parsed = parseOptions(CONTROL_PLANE_OPTIONS, { args, env: {} });
          expect([...parsed.problems, ...checkControlPlaneConfig(parsed.values)]).toEqual([]);
          requireProtection(parsed.values);
        } else if (role === 'sidecar') {
          const parsed = parseOptions(SIDECAR_OPTIONS, { args, env: {} });
          expect([...parsed.problems, ...checkSidecarConfig(parsed.values)]).toEqual([]);
        } else expect(name).toBe('orders');
      }
    }
  });

  it('puts exactly one sidecar into the pod: native where a Service finds its port, else ordinary', () => {
    for (const [kubeVersion, native, isNative] of [
      ['1.29.0', 'auto', false],
      ['1.32.0', 'auto', false],
      ['1.33.0', 'auto', true],
      ['1.36.0', 'auto', true],
      ['1.29.0', true, true],
      ['1.36.0', 'false', false],
    ] as const) {
      const objects = helm.objects({ chart: ORDERS, kubeVersion, values: { 'picket-sidecar': { native } } });
      const pod = podOf(objects);
      const init = (pod.initContainers ?? []).filter((container) => container.name === 'picket-proxy');
      const ordinary = pod.containers.filter((container) => container.name === 'picket-proxy');
      expect([init.length, ordinary.length]).toEqual(isNative ? [1, 0] : [0, 1]);
      expect(init.every((container) => container.restartPolicy === 'Always')).toBe(true);
      expect(ordinary.every((container) => container.restartPolicy === undefined)).toBe(true);
    }
  });

  it('gives the name of the Service’s port to the sidecar alone', () => {
    const pod = podOf(helm.objects({ chart: ORDERS }));
    const named = containersOf(pod).filter((container) =>
      container.ports?.some((port) => port.name === 'http'),
    );
    expect(named.map((container) => container.name)).toEqual(['picket-proxy']);
  });

  it('starts the sidecar alone when no control plane is named', () => {
    const values = { 'picket-sidecar': { controlPlane: { address: '' }, policy: null } };
    const pod = podOf(helm.objects({ chart: ORDERS, values }));
    const sidecar = containersOf(pod).find((container) => container.name === 'picket-proxy')!;
    expect(sidecar.args!.join(' ')).not.toMatch(/control-plane|token-file|policy/);
    expect(pod.volumes.map((volume) => volume.name)).toEqual(['picket-state']);
  });

  it('drops what OpenShift must set itself', () => {
    const text = helm.template({ chart: 'picket', files: ['ci/ephemeral-values.yaml'] }).text;
    expect(text).not.toMatch(/runAsUser|runAsGroup|fsGroup|null/);
  });

  it('lives in an umbrella chart: global and enabled are taken', () => {
    const values = { enabled: true, global: { anything: { goes: 1 }, imageRegistry: 'mirror.example' } };
    const pod = podOf(helm.objects({ chart: 'picket', values }));
    expect(pod.containers[0]!.image).toBe('mirror.example/org/picket:0.1.0');
  });

  it.each([
    ['picket', { replicas: 2 }, /replicas/],
    ['picket', { controlPlane: { replicas: 2 } }, /replicas/],
    ['picket', { image: { digest: 'sha256:short' } }, /digest/],
    ['picket', { controlPlane: { requireSigned: true } }, /existingSecret/],
    ['picket', { controlPlane: { logLevel: 'loud' } }, /logLevel/],
    ['picket', { persistence: { size: 'big' } }, /size/],
    ['picket', { policy: { fleet: { mode: 'shadow' } } }, /mode/],
    ['picket', { service: { grpcPort: 70000 } }, /grpcPort/],
    ['picket', { tls: { existingSecret: 'No Such' } }, /existingSecret/],
    [ORDERS, { 'picket-sidecar': { native: 'maybe' } }, /native/],
    [ORDERS, { 'picket-sidecar': { controlPlane: { address: 'https://x' } } }, /address/],
    [ORDERS, { 'picket-sidecar': { clientIpSource: 'guess' } }, /clientIpSource/],
    [ORDERS, { 'picket-sidecar': { trustedProxies: ['everyone'] } }, /trustedProxies/],
    [ORDERS, { 'picket-sidecar': { clientIpSource: 'forwarded', trustedProxies: [] } }, /trustedProxies/],
    [ORDERS, { 'picket-sidecar': { ports: { proxy: 80 } } }, /proxy/],
    [ORDERS, { 'picket-sidecar': { typo: 1 } }, /typo/],
  ])('refuses %s with %j', (chart, values, expected) => {
    const rendered = helm.template({ chart, values });
    expect(rendered.ok).toBe(false);
    expect(rendered.text).toMatch(expected);
  });

  describe('against the Kubernetes schemas', () => {
    if (findTool('k8s-schemas') === undefined) {
      it.skip('k8s-schemas are absent: npm run tools -- k8s-schemas');
      return;
    }
    it.each(['1.29', '1.33', '1.36'])('every object is taken by %s', (minor) => {
      const schemas = new KubeSchemas(minor);
      const rendered = MATRIX.filter((options) => options.kubeVersion === `${minor}.0`);
      expect(
        rendered.flatMap((options) => helm.objects(options)).flatMap((o) => schemas.problems(o)),
      ).toEqual([]);
    });

    it('a typo is not', () => {
      const schemas = new KubeSchemas('1.36');
      const bare = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } };
      const pod = { ...bare, spec: { restartPolcy: 'Always', containers: [{ name: 'a' }] } };
      expect(schemas.problems(pod).join()).toContain('restartPolcy');
      expect(schemas.problems({ ...bare, kind: 'Pood' })).toHaveLength(1);
    });
  });
});

describe('helm 3 and helm 4', () => {
  const both = [findTool('helm'), findTool('helm3')];
  it.skipIf(both.includes(undefined))('render the same objects', () => {
    const rigs = both.map((binary) => new HelmRig(binary!));
    try {
      for (const options of MATRIX) {
        const [four, three] = rigs.map((rig) => rig.objects(options));
        expect(three).toEqual(four);
      }
    } finally {
      for (const rig of rigs) rig.close();
    }
  });
});
