// Writes a tree ensemble as an ONNX TreeEnsembleRegressor, in protobuf wire format by hand: what
// bench/core.ts gives to onnxruntime-node so that both score the same trees. Numeric splits and one output
// only; values must be f32 numbers.

import type { Ensemble } from '../wasm-core/host/ensemble.ts';
import { NODE_MISSING_LEFT, NUMERIC_NODE } from '../wasm-core/host/ensemble.ts';

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;
/** AttributeProto.type (onnx.proto): INT, FLOATS, INTS, STRINGS, STRING. */
const ATTRIBUTE = { int: 2, string: 3, floats: 6, ints: 7, strings: 8 } as const;
const ELEMENT_FLOAT = 1;

/** Bytes of one protobuf message, field by field. */
class Message {
  readonly #bytes: number[] = [];

  #varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#bytes.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.#bytes.push(rest);
  }

  int(field: number, value: number): this {
    this.#varint(field * 8 + WIRE_VARINT);
    this.#varint(value);
    return this;
  }

  bytes(field: number, bytes: ArrayLike<number>): this {
    this.#varint(field * 8 + WIRE_BYTES);
    this.#varint(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.#bytes.push(bytes[i]!);
    return this;
  }

  text(field: number, text: string): this {
    return this.bytes(field, new TextEncoder().encode(text));
  }

  message(field: number, message: Message): this {
    return this.bytes(field, message.#bytes);
  }

  float(field: number, value: number): this {
    this.#varint(field * 8 + WIRE_FIXED32);
    this.#bytes.push(...new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

interface Attributes {
  readonly ints: Record<string, number[]>;
  readonly floats: Record<string, number[]>;
  readonly modes: string[];
}

function attribute(name: string, type: keyof typeof ATTRIBUTE): Message {
  return new Message().text(1, name).int(20, ATTRIBUTE[type]);
}

/** Node and target arrays, all trees one after the other; a leaf has mode LEAF and one target weight. */
function gather(ensemble: Ensemble): Attributes {
  const ints: Record<string, number[]> = {};
  const floats: Record<string, number[]> = {};
  const modes: string[] = [];
  const add = (into: Record<string, number[]>, name: string, value: number) => {
    const list = into[name] ?? [];
    into[name] = list;
    list.push(value);
  };
  ensemble.trees.forEach((tree, treeId) => {
    for (let node = 0; node < tree.left.length; node++) {
      const left = tree.left[node]!;
      if (left !== 0 && (tree.flags[node]! & ~NODE_MISSING_LEFT) !== NUMERIC_NODE) {
        throw new Error('only numeric splits are written');
      }
      modes.push(left === 0 ? 'LEAF' : 'BRANCH_LEQ');
      add(ints, 'nodes_treeids', treeId);
      add(ints, 'nodes_nodeids', node);
      add(ints, 'nodes_featureids', tree.feature[node]!);
      add(ints, 'nodes_truenodeids', left);
      add(ints, 'nodes_falsenodeids', left === 0 ? 0 : left + 1);
      add(ints, 'nodes_missing_value_tracks_true', tree.flags[node]! & NODE_MISSING_LEFT);
      add(floats, 'nodes_values', left === 0 ? 0 : tree.threshold[node]!);
      if (left !== 0) continue;
      add(ints, 'target_treeids', treeId);
      add(ints, 'target_nodeids', node);
      add(ints, 'target_ids', 0);
      add(floats, 'target_weights', tree.value[node]!);
    }
  });
  add(floats, 'base_values', ensemble.base[0]!);
  return { ints, floats, modes };
}

/** A tensor value of f32 with the given shape. */
function valueInfo(name: string, shape: readonly number[]): Message {
  const dims = new Message();
  for (const size of shape) dims.message(1, new Message().int(1, size));
  const tensor = new Message().int(1, ELEMENT_FLOAT).message(2, dims);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

/** The model file: input `x` f32[1, inputs], output `y` f32[1, 1], the raw margin summed in f32. */
export function onnxModel(ensemble: Ensemble): Uint8Array {
  const { ints, floats, modes } = gather(ensemble);
  const node = new Message().text(1, 'x').text(2, 'y').text(4, 'TreeEnsembleRegressor').text(7, 'ai.onnx.ml');
  for (const [name, values] of Object.entries(ints)) {
    const list = attribute(name, 'ints');
    for (const value of values) list.int(8, value);
    node.message(5, list);
  }
  for (const [name, values] of Object.entries(floats)) {
    const list = attribute(name, 'floats');
    for (const value of values) list.float(7, value);
    node.message(5, list);
  }
  const modeList = attribute('nodes_modes', 'strings');
  for (const mode of modes) modeList.text(9, mode);
  node.message(5, modeList);
  node.message(5, attribute('n_targets', 'int').int(3, 1));
  node.message(5, attribute('aggregate_function', 'string').text(4, 'SUM'));
  node.message(5, attribute('post_transform', 'string').text(4, 'NONE'));
  const graph = new Message()
    .message(1, node)
    .text(2, 'trees')
    .message(11, valueInfo('x', [1, ensemble.inputs.length]))
    .message(12, valueInfo('y', [1, 1]));
  return new Message()
    .int(1, 8)
    .message(7, graph)
    .message(8, new Message().text(1, '').int(2, 17))
    .message(8, new Message().text(1, 'ai.onnx.ml').int(2, 3))
    .finish();
}
