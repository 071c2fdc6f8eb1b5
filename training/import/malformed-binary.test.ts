// What the readers of binary formats refuse, UBJSON and ONNX's protobuf, and where they say it is: huge and negative counts,
// lengths past the end, unknown markers, trees that are none, operators with no canonical form. The text formats stand in
// malformed.test.ts.
import { describe, expect, it } from 'vitest';
import { PicketError } from '../../domain/errors.ts';
import { readModel } from './import-bundle.ts';

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (!(thrown instanceof PicketError)) throw thrown;
    return `${thrown.code} ${thrown.message}`;
  }
  return 'taken';
}

describe('UBJSON', () => {
  const read = (...bytes: (number | string)[]) => {
    const flat = bytes.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : [part]));
    return refusal(() => readModel('xgboost', Uint8Array.from(flat)));
  };

  it.each([
    ['a huge typed array', ['{U', 1, 'a[$D#L', 0x3f, 255, 255, 255, 255, 255, 255, 255], 'UBJSON, byte'],
    [
      'a huge array of doubles',
      ['{U', 1, 'a[$D#l', 0x7f, 255, 255, 255],
      'bytes expected, the file ends before',
    ],
    ['a count below 0', ['{U', 1, 'a[#i', 255], 'a count of -1'],
    ['values without bytes', ['{U', 1, 'a[$Z#l', 0x7f, 255, 255, 255], 'a container of type 90'],
    ['a type without a count', ['{U', 1, 'a[$d', 0], 'a typed container without a count'],
    ['an unknown marker', ['{U', 1, 'a?'], 'unknown marker 63'],
    ['a double member', ['{U', 1, 'aTU', 1, 'aT}'], 'the member "a" stands twice'],
    ['more bytes', ['{U', 1, 'aT}}'], 'bytes follow the document'],
  ])('%s', (_, bytes, message) => {
    expect(read(...bytes)).toContain(message);
  });
});

/** A protobuf field: bytes, text, a nested message, or a small number. */
function field(number: number, value: string | number | readonly number[]): number[] {
  if (typeof value === 'number') return [number << 3, value];
  const bytes = typeof value === 'string' ? [...Buffer.from(value)] : value;
  return [(number << 3) | 2, ...lengthOf(bytes.length), ...bytes];
}

function lengthOf(length: number): number[] {
  return length < 128 ? [length] : [(length & 127) | 128, ...lengthOf(length >>> 7)];
}

const floats = (values: readonly number[]): number[] => [...new Uint8Array(Float32Array.from(values).buffer)];

describe('ONNX', () => {
  interface Tree {
    readonly yes?: readonly number[];
    readonly no?: readonly number[];
    readonly modes?: readonly string[];
    readonly more?: readonly number[];
    readonly before?: readonly number[];
  }

  /** A regressor of one tree of three nodes. */
  function model({
    yes = [1, 0, 0],
    no = [2, 0, 0],
    modes = ['BRANCH_LEQ', 'LEAF', 'LEAF'],
    more,
    before,
  }: Tree) {
    const ints = (name: string, values: readonly number[]) =>
      field(5, [...field(1, name), ...values.flatMap((value) => field(8, value))]);
    const numbers = (name: string, values: readonly number[]) =>
      field(5, [...field(1, name), ...field(7, floats(values))]);
    const node = [
      ...field(1, before === undefined ? 'X' : 'scaled'),
      ...field(2, 'Y'),
      ...field(4, 'TreeEnsembleRegressor'),
      ...ints('nodes_treeids', [0, 0, 0]),
      ...ints('nodes_nodeids', [0, 1, 2]),
      ...ints('nodes_featureids', [0, 0, 0]),
      ...ints('nodes_truenodeids', yes),
      ...ints('nodes_falsenodeids', no),
      ...numbers('nodes_values', [0.5, 0, 0]),
      ...field(5, [...field(1, 'nodes_modes'), ...modes.flatMap((mode) => field(9, mode))]),
      ...ints('target_treeids', [0, 0]),
      ...ints('target_nodeids', [1, 2]),
      ...ints('target_ids', [0, 0]),
      ...numbers('target_weights', [1, 2]),
      ...(more ?? []),
    ];
    const graph = [
      ...(before === undefined ? [] : field(1, before)),
      ...field(1, node),
      ...field(11, field(1, 'X')),
    ];
    return Uint8Array.from(field(7, graph));
  }
  const named = (name: string, value: string) => field(5, [...field(1, name), ...field(4, value)]);
  const scaler = [...field(1, 'X'), ...field(2, 'scaled'), ...field(4, 'Scaler')];
  const base = field(5, [...field(1, 'base_values'), ...field(7, floats([0.5]))]);
  const read = (bytes: Uint8Array) => refusal(() => readModel('onnx', bytes));

  it('is taken as it should be', () => {
    expect(read(model({}))).toBe('taken');
  });

  it.each<[string, Tree, string]>([
    ['a cycle', { yes: [0, 0, 0] }, 'tree 0, node 0: two ways lead to it'],
    ['a shared child', { yes: [2, 0, 0] }, 'tree 0, node 2: two ways lead to it'],
    ['a child outside', { yes: [9, 0, 0] }, 'tree 0 has no node 9'],
    [
      'an unknown mode',
      { modes: ['BRANCH_ODD', 'LEAF', 'LEAF'] },
      'node 0 of tree 0: its mode "ODD" is unknown',
    ],
    ['too few modes', { modes: ['BRANCH_LEQ'] }, 'nodes_modes: 1 values, expected 3'],
    ['a split that has a weight', { modes: ['BRANCH_LEQ', 'BRANCH_LT', 'LEAF'] }, 'the node is no leaf'],
    [
      'a minimum',
      { more: named('aggregate_function', 'MIN') },
      'aggregate_function: MIN is neither SUM nor AVERAGE',
    ],
    [
      'base and average',
      { more: [...named('aggregate_function', 'AVERAGE'), ...base] },
      'base values beside an average',
    ],
    ['an attribute twice', { more: [...base, ...base] }, '"base_values" stands twice'],
    [
      'a scaler before the trees',
      { before: scaler },
      'the operator Scaler stands between the inputs and the trees',
    ],
  ])('%s', (_, tree, message) => {
    expect(read(model(tree))).toContain(message);
  });

  it.each([
    ['no graph', Uint8Array.from(field(2, 'someone')), 'it has no graph'],
    ['no trees', Uint8Array.from(field(7, field(1, field(4, 'MatMul')))), '0 tree operators, expected one'],
    ['a length past the end', Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f), 'bytes expected'],
    ['a negative length', Uint8Array.from([0x3a, ...Array<number>(9).fill(0xff), 1]), '-1 bytes expected'],
    ['an endless number', new Uint8Array(40).fill(0xff), 'a number of more than ten bytes'],
    ['a group', Uint8Array.of(0x3b), 'wire type 3'],
    ['field 0', Uint8Array.of(0), 'field number 0'],
  ])('%s', (_, bytes, message) => {
    expect(read(bytes)).toContain(message);
  });
});
