// Damaged model files: whatever the bytes, an importer gives a model or refuses with DATA_INVALID and a place, in bounded
// time and memory. Truncations, byte flips, numbers swapped for hostile ones, structures that are no trees. Seeds are
// printed by fast-check.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PicketError } from '../../domain/errors.ts';
import { type ImportFormat, importBundle, readModel } from '../../training/import/import-bundle.ts';
import { IMPORT_FIXTURES } from '../parity/import-fixtures.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 100);

interface Seed {
  readonly name: string;
  readonly from: ImportFormat;
  readonly bytes: Uint8Array;
}

function seed(name: string, form = 'text'): Seed {
  const fixture = IMPORT_FIXTURES.find((one) => one.name === name);
  const file = fixture?.files.find((one) => one.form === form);
  if (fixture === undefined || file === undefined) throw new Error(`no fixture ${name} (${form})`);
  return { name: `${name} (${form})`, from: fixture.from, bytes: file.bytes };
}

const SEEDS: readonly Seed[] = [
  seed('sklearn-hgb-categories'),
  seed('sklearn-isolation'),
  seed('lightgbm-categories'),
  seed('lightgbm-pandas'),
  seed('xgboost-categories'),
  seed('xgboost-categories', 'bytes'),
  seed('xgboost-dart', 'bytes'),
  seed('onnx-three-softmax', 'bytes'),
  seed('onnx-v5-members', 'bytes'),
  seed('onnx-columns', 'bytes'),
];

/** Null when the file was taken; else the refusal, which must be a worded one. */
function refusal(from: ImportFormat, bytes: Uint8Array): PicketError | null {
  try {
    const model = readModel(from, bytes);
    importBundle({ model, map: new Map(), manifest: { name: 'fuzz', createdMs: 0, data: {} } });
    return null;
  } catch (thrown) {
    if (!(thrown instanceof PicketError)) throw thrown;
    expect(['DATA_INVALID', 'BUNDLE_MODEL', 'BUNDLE_TOO_LARGE']).toContain(thrown.code);
    expect(thrown.message).toMatch(/: ./);
    expect(thrown.message.length).toBeLessThan(600);
    return thrown;
  }
}

describe.each(SEEDS)('$name', ({ from, bytes }) => {
  it('is taken whole', () => {
    expect(refusal(from, bytes)).toBeNull();
  });

  it('is refused when cut off', () => {
    // A LightGBM text is whole at the end of its trees, and again at the end of its parameters.
    const [trees, tail, end] = ['end of trees', 'feature_importances:', 'end of parameters'].map((mark) =>
      Buffer.from(bytes).indexOf(mark),
    );
    const length =
      trees! < 0
        ? fc.integer({ min: 0, max: Math.floor(bytes.length * 0.9) })
        : fc.oneof(fc.integer({ min: 0, max: trees! }), fc.integer({ min: tail! + 1, max: end! }));
    fc.assert(
      fc.property(length, (end) => {
        expect(refusal(from, bytes.subarray(0, end))?.code).toBe('DATA_INVALID');
      }),
      { numRuns: RUNS },
    );
  });

  it('survives changed bytes', () => {
    const change = fc.record({ at: fc.nat(bytes.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const copy = Uint8Array.from(bytes);
        for (const { at, byte } of changes) copy[at] = byte;
        refusal(from, copy);
      }),
      { numRuns: RUNS },
    );
  });

  it('survives pieces that move', () => {
    const piece = fc.record({
      from: fc.nat(bytes.length - 1),
      to: fc.nat(bytes.length - 1),
      size: fc.nat(64),
    });
    fc.assert(
      fc.property(piece, (move) => {
        const copy = Uint8Array.from(bytes);
        copy.copyWithin(move.to, move.from, move.from + move.size);
        refusal(from, copy);
      }),
      { numRuns: RUNS },
    );
  });
});

const HOSTILE = [
  '-1',
  '0',
  '1',
  '1.5',
  '4294967295',
  '9007199254740993',
  '1e999',
  '-1e308',
  'NaN',
  '1e-400',
  '',
  '"x"',
];

describe.each(SEEDS.filter(({ name }) => name.includes('(text)')))('$name: numbers', ({ from, bytes }) => {
  it('survives any number in place of another', () => {
    const text = new TextDecoder().decode(bytes);
    const places = [...text.matchAll(/-?\d+(\.\d+)?(e-?\d+)?/gi)].map(({ index, 0: found }) => ({
      index,
      found,
    }));
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.constantFrom(...HOSTILE), ({ index, found }, number) => {
        refusal(
          from,
          new TextEncoder().encode(text.slice(0, index) + number + text.slice(index + found.length)),
        );
      }),
      { numRuns: 2 * RUNS },
    );
  });
});

describe('any bytes', () => {
  it.each(['sklearn', 'lightgbm', 'xgboost', 'onnx'] as const)('are no %s model', (from) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(refusal(from, bytes)?.code).toBe('DATA_INVALID');
      }),
      { numRuns: RUNS },
    );
  });

  it('of a deep document are refused, not recursed into', () => {
    const deep = new TextEncoder().encode(`{"learner":${'['.repeat(200_000)}`);
    expect(refusal('xgboost', deep)?.code).toBe('DATA_INVALID');
    const ubj = new Uint8Array(200_000).fill(0x5b);
    expect(refusal('xgboost', ubj)?.message).toMatch(/levels/);
    expect(refusal('sklearn', new TextEncoder().encode('['.repeat(200_000)))?.code).toBe('DATA_INVALID');
  });
});
