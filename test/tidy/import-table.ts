// Who may import whom, as data: the table of ARCHITECTURE.md. The longest matching path decides. Every row and every
// permission must be used by some file: a stale one fails. `tsc -b` enforces the same between parts by references
// (forbidden-imports.test.ts shows it). Called by tidy.test.ts; imports.ts reads the files.

export interface ImportRow {
  /** A folder or a file, from the root. */
  readonly part: string;
  /** Folders or files of this repository; its own part needs no mention. */
  readonly may: readonly string[];
  /** npm packages, each with the reason why this part and no other way. */
  readonly npm: Readonly<Record<string, string>>;
  /** false: no node: module either, so that it runs anywhere. */
  readonly node: boolean;
}

const WIRE = 'speaks gRPC';
const LOG = 'the one log library';

export const IMPORT_TABLE: readonly ImportRow[] = [
  { part: 'domain', may: [], npm: {}, node: false },
  {
    part: 'domain/policy-schema.ts',
    may: [],
    npm: { zod: 'policies are checked against one schema', yaml: 'policies are written in YAML' },
    node: false,
  },
  {
    part: 'domain/options.ts',
    may: [],
    npm: { yaml: 'config files are written in YAML' },
    node: false,
  },
  {
    part: 'domain/openapi.ts',
    may: [],
    npm: { yaml: 'OpenAPI documents are written in YAML or JSON' },
    node: false,
  },
  { part: 'wasm-core/layout.ts', may: [], npm: {}, node: false },
  { part: 'wasm-core/assembly', may: ['wasm-core/layout.ts'], npm: {}, node: false },
  { part: 'wasm-core/host', may: ['wasm-core/layout.ts', 'domain'], npm: {}, node: true },
  { part: 'wasm-core/testing', may: ['wasm-core/host', 'domain'], npm: {}, node: false },
  {
    part: 'proto/gen',
    may: [],
    npm: { '@bufbuild/protobuf': 'wire encoding', '@grpc/grpc-js': WIRE },
    node: true,
  },
  { part: 'proto', may: ['domain'], npm: {}, node: false },
  { part: 'proto/client-call.ts', may: ['domain'], npm: { '@grpc/grpc-js': WIRE }, node: false },
  { part: 'feature-engine', may: ['domain'], npm: {}, node: true },
  { part: 'feature-engine/kernel/row-words.ts', may: [], npm: {}, node: false },
  {
    part: 'feature-engine/kernel/assembly',
    may: ['feature-engine/kernel/row-words.ts'],
    npm: {},
    node: false,
  },
  {
    part: 'proxy',
    may: ['domain', 'feature-engine', 'wasm-core/host', 'proto'],
    npm: {
      undici: 'forwards requests',
      'http-proxy': 'WebSocket upgrades only',
      pino: LOG,
      '@grpc/grpc-js': WIRE,
    },
    node: true,
  },
  {
    part: 'proxy/state/shared-store.ts',
    may: ['domain'],
    npm: { '@redis/client': 'windows shared over Redis or Valkey' },
    node: false,
  },
  {
    part: 'control-plane',
    may: ['domain', 'wasm-core/host', 'proto'],
    npm: {
      '@grpc/grpc-js': WIRE,
      pino: LOG,
    },
    node: true,
  },
  { part: 'training', may: ['domain', 'wasm-core/host'], npm: {}, node: true },
  {
    part: 'training/report/svg.ts',
    may: [],
    npm: { echarts: 'draws plots as SVG text' },
    node: false,
  },
  { part: 'simulator', may: ['domain', 'feature-engine'], npm: { undici: 'sends requests' }, node: true },
  {
    part: 'cli',
    may: [
      'domain',
      'feature-engine',
      'wasm-core/host',
      'proto',
      'proxy',
      'control-plane',
      'training',
      'simulator',
    ],
    npm: {
      '@grpc/grpc-js': WIRE,
      yaml: 'validate tells policies from config files by their keys',
      undici: 'the demo measures added latency over kept connections',
    },
    node: true,
  },
];

/** Not parts of the product: they may import anything that is installed. */
export const FREE_PARTS = ['bench', 'scripts', 'test'] as const;

/** What unit tests beside the code may use on top of their part's row. */
export const TEST_PACKAGES = ['vitest', 'fast-check'] as const;
