// The outer part of an ONNX model: finds the one tree operator, follows its input back to the inputs of the graph, and tells
// which operators come after it. Between graph input and trees only Identity, Cast to float or double, and Concat may stand.
// Called by onnx.ts.
import { malformed, shown, unsupported } from './imported-model.ts';
import { Attributes, TYPE_DOUBLE, TYPE_FLOAT } from './onnx-values.ts';
import { Message } from './protobuf-wire.ts';

export const TREE_OPERATORS = ['TreeEnsembleClassifier', 'TreeEnsembleRegressor', 'TreeEnsemble'] as const;
export type TreeOperator = (typeof TREE_OPERATORS)[number];

interface GraphNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

interface GraphInput {
  readonly name: string;
  readonly type: number;
  /** Columns, 0 when the file does not say. */
  readonly width: number;
  /** Whether its values have been f32 numbers at any point on their way. */
  readonly isRounded: boolean;
}

/** The operator, what it reads, and what follows. */
export interface TreeGraph {
  readonly producer: string;
  readonly operator: TreeOperator;
  readonly attributes: Attributes;
  readonly inputs: readonly { readonly name: string; readonly width: number }[];
  /** Whether the operator sees doubles, and whether these were rounded to f32 before. */
  readonly isWide: boolean;
  readonly isRounded: boolean;
  readonly after: readonly string[];
}

const NODES_MAX = 10_000;
/** Inputs, outputs or attributes of one node; inputs of the graph. */
const LIST_MAX = 8192;
const FOLLOW_MAX = 8192;
const FOLLOW_DEPTH_MAX = 64;

function readNode(message: Message): GraphNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const waiting: Uint8Array[] = [];
  let operator = '';
  let name = '';
  while (message.next()) {
    if (message.field === 1) inputs.push(message.text());
    else if (message.field === 2) outputs.push(message.text());
    else if (message.field === 3) name = message.text();
    else if (message.field === 4) operator = message.text();
    else if (message.field === 5) waiting.push(message.bytes());
    if (Math.max(inputs.length, outputs.length, waiting.length) > LIST_MAX) {
      unsupported(message.place, `more than ${LIST_MAX} inputs, outputs or attributes`);
    }
  }
  const attributes = new Attributes(`node ${shown(name === '' ? operator : name)}`);
  const isRead = ['Cast', 'Concat', ...TREE_OPERATORS].includes(operator);
  if (isRead) for (const bytes of waiting) attributes.add(new Message(bytes, attributes.place));
  return { operator, inputs, outputs, attributes };
}

/** Width of the last dimension of a shape, 0 when unknown. */
function readShape(shape: Message): number {
  let width = 0;
  while (shape.next()) {
    if (shape.field !== 1) continue;
    const dimension = shape.message(shape.place);
    width = 0;
    while (dimension.next()) if (dimension.field === 1) width = dimension.int();
  }
  return width;
}

function readInput(message: Message): GraphInput {
  let name = '';
  let type = 0;
  let width = 0;
  while (message.next()) {
    if (message.field === 1) name = message.text();
    if (message.field !== 2) continue;
    const holder = message.message(message.place);
    while (holder.next()) {
      if (holder.field !== 1) continue;
      const tensor = holder.message(message.place);
      while (tensor.next()) {
        if (tensor.field === 1) type = tensor.int();
        else if (tensor.field === 2) width = readShape(tensor.message(message.place));
      }
    }
  }
  return { name, type, width, isRounded: type !== TYPE_DOUBLE };
}

interface Graph {
  readonly nodes: GraphNode[];
  readonly inputs: GraphInput[];
}

function readGraph(message: Message): Graph {
  const graph: Graph = { nodes: [], inputs: [] };
  while (message.next()) {
    if (message.field === 1) graph.nodes.push(readNode(message.message(`graph, node ${graph.nodes.length}`)));
    else if (message.field === 11)
      graph.inputs.push(readInput(message.message(`graph, input ${graph.inputs.length}`)));
    if (graph.inputs.length > LIST_MAX) unsupported('graph', `more than ${LIST_MAX} inputs`);
    if (graph.nodes.length > NODES_MAX) unsupported('graph', `more than ${NODES_MAX} nodes`);
  }
  return graph;
}

/** Follows a value back to graph inputs; their `type` is then the element type that the reader sees. */
function sourcesOf(graph: Graph, value: string, budget: { left: number }, depth = 0): GraphInput[] {
  if (--budget.left < 0 || depth > FOLLOW_DEPTH_MAX)
    unsupported('graph', 'too many operators before the trees');
  const input = graph.inputs.find(({ name }) => name === value);
  if (input !== undefined) return [input];
  const node = graph.nodes.find(({ outputs }) => outputs.includes(value));
  if (node === undefined)
    return malformed('graph', `nothing gives the value "${shown(value)}" that the trees read`);
  const { operator, attributes } = node;
  if (operator === 'Identity') return sourcesOf(graph, node.inputs[0] ?? '', budget, depth + 1);
  if (operator === 'Concat') return node.inputs.flatMap((name) => sourcesOf(graph, name, budget, depth + 1));
  if (operator === 'Cast') {
    const type = attributes.int('to', 0);
    if (type !== TYPE_FLOAT && type !== TYPE_DOUBLE)
      unsupported(attributes.place, `a cast to type ${type} before the trees`);
    const sources = sourcesOf(graph, node.inputs[0] ?? '', budget, depth + 1);
    return sources.map((source) => ({ ...source, type, isRounded: source.isRounded || type === TYPE_FLOAT }));
  }
  return unsupported(
    attributes.place,
    `the operator ${shown(operator)} stands between the inputs and the trees`,
    'export the trees alone: scaling and imputing belong into the features',
  );
}

/** Operators that are fed, directly or not, by the values in `reached`. */
function operatorsAfter(graph: Graph, reached: Set<string>): string[] {
  const after = new Set<string>();
  for (const { operator, inputs, outputs } of graph.nodes) {
    if (!inputs.some((name) => reached.has(name))) continue;
    for (const name of outputs) reached.add(name);
    after.add(operator);
  }
  return [...after];
}

/** Reads a model. Throws DATA_INVALID with place and reason. */
export function readTreeGraph(bytes: Uint8Array): TreeGraph {
  const model = new Message(bytes, 'ONNX model');
  let producer = '';
  let graph: Graph | null = null;
  while (model.next()) {
    if (model.field === 2) producer = model.text();
    else if (model.field === 7) graph = readGraph(model.message('graph'));
  }
  if (graph === null) return malformed('ONNX model', 'it has no graph');
  const isTree = ({ operator }: GraphNode) => (TREE_OPERATORS as readonly string[]).includes(operator);
  const found = graph.nodes.filter(isTree);
  if (found.length !== 1) {
    const others = graph.nodes
      .slice(0, 5)
      .map(({ operator }) => shown(operator))
      .join(', ');
    unsupported(
      'graph',
      `${found.length} tree operators, expected one (its operators: ${others || 'none'})`,
      'isolation forests of scikit-learn come in by training/python/picket_export.py',
    );
  }
  const node = found[0]!;
  const sources = sourcesOf(graph, node.inputs[0] ?? '', { left: FOLLOW_MAX });
  const wide = sources.filter(({ type }) => type === TYPE_DOUBLE).length;
  if (wide !== 0 && wide !== sources.length) unsupported('graph', 'inputs of float and of double together');
  return {
    producer,
    operator: node.operator as TreeOperator,
    attributes: node.attributes,
    inputs: sources,
    isWide: wide > 0,
    isRounded: sources.some(({ isRounded }) => isRounded),
    after: operatorsAfter(graph, new Set(node.outputs)),
  };
}
