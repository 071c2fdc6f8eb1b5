// Attributes and tensors of an ONNX node as plain lists, and typed access to them by name.
// Field numbers are those of onnx.proto (checked against onnx 1.23). Tensors kept outside the file are refused.
// Called by onnx-graph.ts and onnx-forest.ts.
import { malformed, shown, unsupported } from './imported-model.ts';
import { floatsOf, type Message } from './protobuf-wire.ts';

export const TYPE_FLOAT = 1;
export const TYPE_UINT8 = 2;
export const TYPE_INT64 = 7;
export const TYPE_DOUBLE = 11;

const STRINGS_MAX = 4_000_000;

export interface Tensor {
  readonly type: number;
  readonly values: ArrayLike<number>;
}

interface Attribute {
  readonly floats: number[];
  readonly ints: number[];
  readonly strings: string[];
  float: number | null;
  int: number | null;
  text: string | null;
  tensor: Tensor | null;
}

function readTensor(message: Message): Tensor {
  const { place } = message;
  let type = 0;
  let raw: Uint8Array | null = null;
  const values: number[] = [];
  while (message.next()) {
    if (message.field === 2) type = message.int();
    else if (message.field === 4) message.pushFloats(values, 4);
    else if (message.field === 5 || message.field === 7) message.pushInts(values);
    else if (message.field === 9) raw = message.bytes();
    else if (message.field === 10) message.pushFloats(values, 8);
    else if (message.field === 14 && message.int() !== 0)
      unsupported(place, 'its values are kept in another file');
  }
  if (raw === null || raw.length === 0) return { type, values };
  if (type === TYPE_UINT8) return { type, values: raw };
  if (type !== TYPE_FLOAT && type !== TYPE_DOUBLE) unsupported(place, `raw values of type ${type}`);
  const width = type === TYPE_FLOAT ? 4 : 8;
  if (raw.length % width !== 0) malformed(place, `${raw.length} bytes are no numbers of ${width} bytes`);
  return { type, values: floatsOf(raw, width) };
}

function readAttribute(message: Message): { name: string; attribute: Attribute } {
  let name = '';
  const attribute: Attribute = {
    floats: [],
    ints: [],
    strings: [],
    float: null,
    int: null,
    text: null,
    tensor: null,
  };
  while (message.next()) {
    if (message.field === 1) name = message.text();
    else if (message.field === 2) attribute.float = message.float();
    else if (message.field === 3) attribute.int = message.int();
    else if (message.field === 4) attribute.text = message.text();
    else if (message.field === 5)
      attribute.tensor = readTensor(message.message(`${message.place}, tensor ${shown(name)}`));
    else if (message.field === 7) message.pushFloats(attribute.floats, 4);
    else if (message.field === 8) message.pushInts(attribute.ints);
    else if (message.field === 9) {
      attribute.strings.push(message.text());
      if (attribute.strings.length > STRINGS_MAX)
        unsupported(message.place, `more than ${STRINGS_MAX} texts`);
    }
  }
  return { name, attribute };
}

/** The attributes of one node. */
export class Attributes {
  readonly place: string;
  readonly #byName = new Map<string, Attribute>();

  constructor(place: string) {
    this.place = place;
  }

  add(message: Message): void {
    const { name, attribute } = readAttribute(message);
    if (this.#byName.has(name)) malformed(this.place, `the attribute "${shown(name)}" stands twice`);
    this.#byName.set(name, attribute);
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  int(name: string, fallback: number): number {
    return this.#byName.get(name)?.int ?? fallback;
  }

  text(name: string, fallback: string): string {
    return this.#byName.get(name)?.text ?? fallback;
  }

  strings(name: string): readonly string[] {
    return this.#byName.get(name)?.strings ?? [];
  }

  /** Integers; an empty list when the attribute is missing. A length of undefined takes any. */
  ints(name: string, count?: number): ArrayLike<number> {
    return this.#checked(name, this.#byName.get(name)?.ints ?? [], count);
  }

  /** Integers that may be left out: zeros then. */
  intsOrZeros(name: string, count: number): ArrayLike<number> {
    const ints = this.#byName.get(name)?.ints ?? [];
    return ints.length === 0 ? new Uint8Array(count) : this.#checked(name, ints, count);
  }

  /** Numbers of the attribute `name` (f32) or of the tensor `name_as_tensor`, or of a tensor under the plain name. */
  numbers(name: string, count?: number): Tensor {
    const tensor = this.#byName.get(`${name}_as_tensor`)?.tensor ?? this.#byName.get(name)?.tensor;
    const found = tensor ?? { type: TYPE_FLOAT, values: this.#byName.get(name)?.floats ?? [] };
    this.#checked(name, found.values, count);
    return found;
  }

  #checked(name: string, list: ArrayLike<number>, count: number | undefined): ArrayLike<number> {
    if (count !== undefined && list.length !== count) {
      malformed(`${this.place}, ${name}`, `${list.length} values, expected ${count}`);
    }
    return list;
  }
}
