// LightGBM text models (version v3 and v4, what `save_model` writes) to canonical trees. Compares and adds in f64, so
// margins have the library's bits; missing types None, Zero and NaN each have their node flags. Linear trees are refused.
// The blocks of single trees are read by lightgbm-tree.ts. Called by import-bundle.ts.
import type { ModelLink } from '../../domain/model-manifest.ts';
import { BUNDLE_CAPS } from '../../wasm-core/host/bundle-format.ts';
import { CanonicalTrees, evenCovers } from './canonical-trees.ts';
import { type ImportedModel, malformed, shown, unsupported } from './imported-model.ts';
import { addTree, type Block, type CategoryCodes, countOf } from './lightgbm-tree.ts';

interface Blocks {
  readonly head: Block;
  readonly trees: readonly Block[];
  readonly pandas: string | null;
}

/** Lines of the header, or of one tree. */
const KEYS_MAX = 1000;
const LINE_BYTES_MAX = 64 * 2 ** 20;

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return malformed('LightGBM model', 'not text in UTF-8');
  }
}

/** Splits into header, `Tree=` blocks up to `end of trees`, and the line of pandas categories. */
function blocksOf(text: string): Blocks {
  const head = new Map<string, string>();
  const trees: Map<string, string>[] = [];
  let block = head;
  let ended = false;
  let isTailOpen = false;
  let isTailDone = false;
  let pandas: string | null = null;
  let number = 0;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const line = text.slice(at, newline < 0 ? text.length : newline).trimEnd();
    at = newline < 0 ? text.length : newline + 1;
    number++;
    if (line.length > LINE_BYTES_MAX) unsupported(`line ${number}`, 'longer than 64 MiB');
    if (number === 1 && line !== 'tree') malformed('line 1', `found "${shown(line)}", expected "tree"`);
    if (line.startsWith('pandas_categorical:')) pandas = line.slice('pandas_categorical:'.length);
    if (ended && line !== '') isTailOpen ||= !isTailDone;
    if (ended && line === 'end of parameters') [isTailOpen, isTailDone] = [false, true];
    if (ended || line === '') continue;
    if (line === 'end of trees') {
      ended = true;
      continue;
    }
    const equals = line.indexOf('=');
    const key = equals < 0 ? line : line.slice(0, equals);
    if (key === 'Tree') {
      const said = line.slice(equals + 1);
      if (said !== String(trees.length))
        malformed(`line ${number}`, `Tree=${shown(said)} follows tree ${trees.length - 1}`);
      if (trees.length >= BUNDLE_CAPS.trees)
        unsupported(`line ${number}`, `more than ${BUNDLE_CAPS.trees} trees`);
      block = new Map();
      trees.push(block);
    } else if (block.has(key)) malformed(`line ${number}`, `"${shown(key)}" stands twice`);
    else if (block.size >= KEYS_MAX)
      unsupported(`line ${number}`, `more than ${KEYS_MAX} lines in one block`);
    else block.set(key, equals < 0 ? '' : line.slice(equals + 1));
  }
  if (!ended) malformed(`line ${number}`, 'the file ends before "end of trees"');
  if (isTailOpen) malformed(`line ${number}`, 'the file ends before "end of parameters"');
  return { head, trees, pandas };
}

interface Objective {
  readonly link: ModelLink;
  readonly classes: readonly string[];
  readonly turns: boolean;
  readonly known: boolean;
}

/** Class names: LightGBM keeps numbers only. */
function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}

const EXPONENTIAL = ['poisson', 'gamma', 'tweedie'];
const PLAIN = [
  'regression',
  'regression_l1',
  'huber',
  'fair',
  'quantile',
  'mape',
  'lambdarank',
  'rank_xendcg',
];

function objectiveOf(text: string, outputs: number): Objective {
  const [name = '', ...settings] = text.split(' ');
  const said = settings.find((setting) => setting.startsWith('sigmoid:'))?.slice('sigmoid:'.length);
  const scale = said === undefined ? 1 : Number(said);
  if (!(scale > 0 && scale < 1e9)) malformed('header, objective', `sigmoid "${shown(said)}" is not above 0`);
  const plain = { classes: [], turns: false, known: true };
  if (name === 'binary') {
    return { link: { kind: 'logistic', scale }, classes: numbered(2), turns: true, known: true };
  }
  if (name === 'multiclassova')
    return { ...plain, link: { kind: 'logistic', scale }, classes: numbered(outputs) };
  if (name === 'multiclass') return { ...plain, link: { kind: 'softmax' }, classes: numbered(outputs) };
  if (name === 'cross_entropy') return { ...plain, link: { kind: 'logistic', scale: 1 } };
  if (EXPONENTIAL.includes(name)) return { ...plain, link: { kind: 'exp' } };
  if (name === 'regression' && settings.includes('sqrt'))
    return { ...plain, known: false, link: { kind: 'identity' } };
  return { ...plain, link: { kind: 'identity' }, known: PLAIN.includes(name) };
}

function namesOf(head: Block, inputs: number): string[] {
  const names = (head.get('feature_names') ?? '').split(' ').filter((name) => name !== '');
  if (names.length !== inputs) {
    malformed('header, feature_names', `${names.length} names for ${inputs} inputs (max_feature_idx + 1)`);
  }
  return names;
}

/** Pandas columns of category type are stored by code: the codes' values, for each input that has any. */
function codesOf(pandas: string | null, head: Block, inputs: number): CategoryCodes {
  const codes = new Map<number, readonly number[]>();
  if (pandas === null || pandas === 'null' || pandas === '[]') return codes;
  let lists: unknown;
  try {
    lists = JSON.parse(pandas);
  } catch {
    return malformed('pandas_categorical', 'not JSON');
  }
  if (!Array.isArray(lists) || !lists.every(Array.isArray))
    malformed('pandas_categorical', 'not a list of lists');
  const infos = (head.get('feature_infos') ?? '').split(' ');
  const columns = infos.slice(0, inputs).flatMap((info, i) => (/^-?\d+(:-?\d+)*$/.test(info) ? [i] : []));
  const whole = (list: unknown[]) => list.every((value) => Number.isInteger(value) && (value as number) >= 0);
  const isPlain = (list: unknown[]) => list.every((value, i) => value === i);
  if (lists.every(isPlain)) return codes;
  if (!lists.every(whole)) {
    unsupported(
      'pandas_categorical',
      'categories that are not whole numbers from 0',
      'train on category numbers',
    );
  }
  if (columns.length !== lists.length) {
    unsupported('pandas_categorical', `${lists.length} lists for ${columns.length} columns in feature_infos`);
  }
  columns.forEach((input, i) => {
    codes.set(input, lists[i] as number[]);
  });
  return codes;
}

/**
 * A LightGBM forest: its raw margin is the sum, its prediction the link of the mean. A logistic link takes the division
 * over; other links have no place for it, so there the margin is the mean.
 */
function averaged(
  link: ModelLink,
  isAverage: boolean,
  rounds: number,
): { link: ModelLink; average: boolean } {
  if (!isAverage || link.kind !== 'logistic') return { link, average: isAverage };
  return { link: { ...link, scale: link.scale / rounds }, average: false };
}

/** Reads a LightGBM text model. Throws DATA_INVALID with place and reason; never anything else. */
export function importLightGbm(bytes: Uint8Array): ImportedModel {
  const { head, trees, pandas } = blocksOf(decode(bytes));
  const version = head.get('version') ?? 'without version';
  if (version !== 'v3' && version !== 'v4')
    unsupported('header, version', `"${shown(version)}", not v3 or v4`);
  const inputs = countOf(head, 'header', 'max_feature_idx', [0, BUNDLE_CAPS.features - 1]) + 1;
  const outputs = countOf(head, 'header', 'num_tree_per_iteration', [1, BUNDLE_CAPS.outputs]);
  if (trees.length === 0 || trees.length % outputs !== 0) {
    malformed('end of trees', `${trees.length} trees for ${outputs} a round`);
  }
  const names = namesOf(head, inputs);
  const canonical = new CanonicalTrees(inputs);
  const codes = codesOf(pandas, head, inputs);
  trees.forEach((block, i) => {
    addTree(canonical, block, { place: `Tree=${i}`, output: i % outputs, codes });
  });
  const even = evenCovers(canonical.trees);
  const said = head.get('objective') ?? '';
  const objective = objectiveOf(said, outputs);
  const { link, average } = averaged(objective.link, head.has('average_output'), trees.length / outputs);
  const notes = [
    ...(average
      ? ['Raw margins are means over the rounds, what predict averages; raw_score would give sums.']
      : []),
    ...(even.covered ? [] : ['Some nodes have no rows, so contributions (--explain) are not available.']),
    ...(objective.known
      ? []
      : [`The link of objective "${shown(said)}" is not known: scores are raw margins.`]),
  ];
  return {
    library: `LightGBM ${version}`,
    ensemble: {
      kind: average ? 'rf_mean' : 'gbdt_logit',
      outputs,
      base: new Float64Array(outputs),
      trees: even.trees,
      inputs: names.map((_, i) => i),
      accum: 'f64',
      f32Input: false,
      categories: canonical.categories,
    },
    inputNames: names,
    link,
    classes: objective.classes,
    turn: objective.turns ? { at: 0, flags: 'from' } : null,
    notes,
  };
}
