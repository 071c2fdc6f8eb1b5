// What importers refuse, and where they say it is: cycles, shared children, wild indexes, huge counts, depth, models that
// have no canonical form. Binary formats stand in malformed-binary.test.ts, damage at random in test/fuzz/import.test.ts,
// right answers in test/parity.
import { describe, expect, it } from 'vitest';
import { PicketError } from '../../domain/errors.ts';
import { CanonicalTrees, type SourceNode } from './canonical-trees.ts';
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

const text = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

describe('trees that are none', () => {
  const split = (left: number, right: number): SourceNode => ({
    feature: 0,
    threshold: 0,
    flags: 8,
    left,
    right,
  });
  const leaf: SourceNode = { leaf: 1 };
  const add = (nodes: readonly SourceNode[], count = nodes.length) =>
    refusal(() =>
      new CanonicalTrees(1).add({ place: 'tree', count, root: 0, read: (node) => nodes[node] ?? leaf }, 0),
    );

  it.each([
    ['a cycle', [split(1, 2), split(0, 2), leaf], 'tree, node 0: two ways lead to it'],
    ['a node that is its own child', [split(0, 1), leaf], 'tree, node 0: two ways lead to it'],
    ['a shared child', [split(1, 2), split(3, 4), split(3, 5), leaf, leaf, leaf], 'tree, node 3: two ways'],
    ['a child outside', [split(1, 7), leaf], 'node 7 is not one of its 2 nodes'],
    ['a child that is no number', [split(1, Number.NaN), leaf], 'node NaN is not one of'],
    ['a leaf that is no number', [{ leaf: Number.NaN }], 'tree, node 0: the leaf value NaN is not finite'],
    ['an input outside', [{ ...split(1, 2), feature: 3 }, leaf, leaf], 'input 3 is not one of the 1 inputs'],
    [
      'no threshold',
      [{ ...split(1, 2), threshold: Number.NaN }, leaf, leaf],
      'the threshold is not a number',
    ],
  ] as const)('%s', (_, nodes, message) => {
    expect(add(nodes)).toContain(message);
  });

  it('a chain deeper than 64 levels', () => {
    const chain = Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? split(i + 2, i + 1) : leaf));
    expect(add(chain)).toMatch(/tree, node 128: deeper than 64 levels/);
  });

  it('categories out of range', () => {
    expect(refusal(() => new CanonicalTrees(1).setOf('here', [4096], []))).toMatch(
      /here: category 4096 is not/,
    );
    expect(refusal(() => new CanonicalTrees(1).setOf('here', [], [0.5]))).toMatch(/category 0.5/);
  });
});

describe('LightGBM', () => {
  const head =
    'tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nfeature_names=a\n';
  const tree = (lines: string) => `Tree=0\nnum_leaves=2\nnum_cat=0\n${lines}\n`;
  const arrays =
    'split_feature=0\nthreshold=0.5\ndecision_type=2\nleft_child=-1\nright_child=-2\nleaf_value=1 2';
  const read = (file: string) => refusal(() => readModel('lightgbm', text(file)));

  it('is taken as it should be', () => {
    expect(read(`${head}${tree(arrays)}end of trees\n`)).toBe('taken');
  });

  it.each([
    ['version', `${head.replace('v4', 'v9')}${tree(arrays)}end of trees`, 'header, version: "v9"'],
    [
      'a huge count',
      `${head}${tree(arrays).replace('leaves=2', 'leaves=900000000')}end of trees`,
      'num_leaves',
    ],
    ['a linear tree', `${head}${tree(`${arrays}\nis_linear=1`)}end of trees`, 'Tree=0, is_linear'],
    [
      'a cycle',
      `${head}${tree(arrays.replace('left_child=-1', 'left_child=0'))}end of trees`,
      'Tree=0, node 0',
    ],
    [
      'text',
      `${head}${tree(arrays.replace('0.5', 'x'))}end of trees`,
      'Tree=0, threshold[0]: "x" is not a number',
    ],
    [
      'a lost value',
      `${head}${tree(arrays.replace('1 2', '1'))}end of trees`,
      'leaf_value: 1 numbers, expected 2',
    ],
    ['a lost tree', `${head}${tree(arrays).replace('Tree=0', 'Tree=1')}end of trees`, 'line 7: Tree=1'],
    ['decisions', `${head}${tree(arrays.replace('type=2', 'type=99'))}end of trees`, 'decision_type[0]: 99'],
    ['names', `${head.replace('names=a', 'names=a b')}${tree(arrays)}end of trees`, '2 names for 1 inputs'],
  ])('%s', (_, file, message) => {
    expect(read(file)).toContain(message);
  });
});

describe('XGBoost', () => {
  const one = {
    tree_param: { num_nodes: '3', size_leaf_vector: '1' },
    left_children: [1, -1, -1],
    right_children: [2, -1, -1],
    split_indices: [0, 0, 0],
    split_conditions: [0.5, 1, 2],
    default_left: [1, 0, 0],
    sum_hessian: [2, 1, 1],
  };
  const document = (tree: object, param: object = {}, objective = 'binary:logistic', name = 'gbtree') => ({
    version: [3, 2, 0],
    learner: {
      learner_model_param: { base_score: '5E-1', num_feature: '1', num_class: '0', ...param },
      objective: { name: objective },
      gradient_booster: { name, model: { trees: [tree], tree_info: [0] } },
    },
  });
  const read = (value: unknown) => refusal(() => readModel('xgboost', text(value)));
  const first = 'learner.gradient_booster.model.trees[0]';

  it('is taken as it should be', () => {
    expect(read(document(one))).toBe('taken');
  });

  it.each([
    ['a cycle', document({ ...one, left_children: [0, -1, -1] }), `${first}, node 0: two ways`],
    [
      'a short list',
      document({ ...one, split_indices: [0] }),
      `${first}.split_indices: 1 numbers, expected 3`,
    ],
    [
      'text among numbers',
      document({ ...one, default_left: [1, 'a', 0] }),
      `${first}.default_left[1]: found a`,
    ],
    [
      'a huge count',
      document({ ...one, tree_param: { num_nodes: '1e12' } }),
      `${first}.tree_param.num_nodes`,
    ],
    [
      'vector leaves',
      document({ ...one, tree_param: { num_nodes: '3', size_leaf_vector: '4' } }),
      'leaf_vector',
    ],
    ['a wild input', document({ ...one, split_indices: [9, 0, 0] }), 'input 9 is not one of the 1 inputs'],
    ['a set that is not there', document({ ...one, split_type: [1, 0, 0] }), 'split type 1 without a set'],
    ['base score', document(one, { base_score: '0' }), 'base_score: "0" has no margin'],
    ['an unknown objective', document(one, {}, 'my:own'), 'learner.objective.name: "my:own"'],
    [
      'another booster',
      document(one, {}, 'binary:logistic', 'gblinear'),
      '"gblinear" is not a booster of trees',
    ],
    ['too many inputs', document(one, { num_feature: '5000' }), 'learner_model_param.num_feature: 5000'],
    ['no learner', {}, 'document: "learner" is missing'],
    ['no object', { learner: [] }, 'learner: found [], expected an object'],
  ])('%s', (_, value, message) => {
    expect(read(value)).toContain(message);
  });
});

describe('scikit-learn', () => {
  const tree = {
    output: 0,
    feature: [0, 0, 0],
    threshold: [0.5, 0, 0],
    nan_split: [],
    category: [-1, -1, -1],
    missing_left: [0, 0, 0],
    left: [1, -1, -1],
    right: [2, -1, -1],
    value: [0, 1, 2],
    cover: [2, 1, 1],
  };
  const whole = {
    format: 'picket-trees',
    version: 1,
    library: 'scikit-learn',
    kind: 'gbdt_logit',
    link: { kind: 'logistic', scale: 1 },
    feature_names: ['a'],
    classes: ['0', '1'],
    category_sets: [],
    turn: null,
    f32_input: false,
    base: [0.5],
    trees: [tree],
  };
  const read = (value: unknown) => refusal(() => readModel('sklearn', text(value)));

  it('is taken as it should be', () => {
    expect(read(whole)).toBe('taken');
  });

  it.each([
    ['another document', { ...whole, format: 'x' }, 'format: not a picket-trees document'],
    ['a later version', { ...whole, version: 2 }, 'version: not version 1'],
    ['a cycle', { ...whole, trees: [{ ...tree, left: [0, -1, -1] }] }, 'trees[0], node 0: two ways'],
    [
      'a wild output',
      { ...whole, trees: [{ ...tree, output: 3 }] },
      'trees[0].output: 3 is not a whole number',
    ],
    [
      'a wild set',
      { ...whole, trees: [{ ...tree, category: [4, -1, -1] }] },
      'trees[0].category[0]: no set 4',
    ],
    ['an infinite leaf', JSON.stringify(whole).replace('[0,1,2]', '[0,1e999,2]'), 'the leaf value Infinity'],
    ['no trees', { ...whole, trees: [] }, 'trees: there are none'],
    ['a link', { ...whole, link: { kind: 'logistic', scale: 0 } }, 'document.link.scale: 0 is not above 0'],
    ['classes', { ...whole, classes: ['a', 'b', 'c'] }, 'classes: 3 for 1 outputs'],
  ])('%s', (_, value, message) => {
    expect(read(value)).toContain(message);
  });

  it('no bytes at all', () => {
    expect(refusal(() => readModel('sklearn', new Uint8Array(0)))).toContain('it is empty');
  });
});
