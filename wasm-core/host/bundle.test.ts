// The bundle file: round trip, same input same bytes, signing, refusals with their codes, features offered
// or not, and yesterday's file that must still load.

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PicketError } from '../../domain/errors.ts';
import { OFFERED_IDS } from '../../domain/features.ts';
import { seededRandom } from '../../domain/random.ts';
import { randomEnsemble } from '../testing/random-ensemble.ts';
import { bundleOf, LAX, smallSpec, verdictSpec } from '../testing/test-bundle.ts';
import { type BundleSpec, packBundle, parseBundle, signBundle } from './bundle.ts';
import { HEADER, SIGN_BYTES } from './bundle-format.ts';
import { Core } from './core.ts';
import { crc32c } from './crc32c.ts';
import { type Ensemble, placeDetectors, type Tree } from './ensemble.ts';
import { OFFERED, offeredByName, prepareBundle } from './prepare.ts';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof PicketError ? error.code : `not coded: ${String(error)}`;
  }
  return 'no error';
}

const KEYS = generateKeyPairSync('ed25519');
const TRUSTED = [{ keyId: 'release-1', publicKey: KEYS.publicKey }];

/** The file with one header field changed and its checksum made right again. */
function withHeader(bytes: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  change(view);
  view.setUint32(HEADER.crc, crc32c(copy.subarray(0, HEADER.crc)), true);
  return copy;
}

describe('round trip', () => {
  test('what was packed is what is parsed: detectors, trees, sets, covers, manifest, golden rows', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const spec = smallSpec(seed);
      const bundle = bundleOf(spec);
      expect(bundle.features).toEqual(spec.features);
      expect(bundle.detectors).toEqual(placeDetectors(spec.detectors));
      expect(bundle.manifest).toEqual(spec.manifest);
      expect(bundle.golden.rows).toBe(spec.golden.length);
      expect([...bundle.golden.features]).toEqual(spec.golden.flatMap((row) => Array.from(row)));
      expect(bundle.signedBy).toBeNull();
    }
  });

  test('same spec, same bytes; another creation time is another bundle', () => {
    const again = packBundle(smallSpec(4));
    expect(Buffer.compare(packBundle(smallSpec(4)), again)).toBe(0);
    const spec = smallSpec(4);
    const later = packBundle({ ...spec, manifest: { ...spec.manifest, createdMs: 2 } });
    expect(parseBundle(later, LAX).id).not.toBe(parseBundle(again, LAX).id);
  });

  test('a bundle without covers or sets has no such sections and loads', () => {
    const ensemble = randomEnsemble(seededRandom(1), { trees: 5, leaves: [2, 9], inputs: [0, 1] });
    const bare = { ...ensemble, trees: ensemble.trees.map((tree) => ({ ...tree, cover: null })) };
    const bytes = packBundle(verdictSpec(bare, seededRandom(2)));
    expect(Buffer.from(bytes).includes('COVR')).toBe(false);
    expect(parseBundle(bytes, LAX).detectors[0]!.ensemble).toEqual(bare);
  });

  test('parses a view into a larger buffer', () => {
    const bytes = packBundle(smallSpec(2));
    const wide = new Uint8Array(bytes.length + 77);
    wide.set(bytes, 33);
    expect(parseBundle(wide.subarray(33, 33 + bytes.length), LAX)).toEqual(parseBundle(bytes, LAX));
  });
});

describe('signing', () => {
  const unsigned = packBundle(smallSpec(1));
  const signed = signBundle(unsigned, KEYS.privateKey, 'release-1');
  const strict = { requireSigned: true, trustedKeys: TRUSTED };

  test('a signed bundle parses, says by whom, and keeps its id', () => {
    const bundle = parseBundle(signed, strict);
    expect(bundle.signedBy).toBe('release-1');
    expect(bundle.id).toBe(parseBundle(unsigned, LAX).id);
    expect(signed.length).toBe(unsigned.length);
    expect(Buffer.compare(signed, signBundle(unsigned, KEYS.privateKey, 'release-1'))).toBe(0);
  });

  test('unsigned where a signature is required', () => {
    expect(codeOf(() => parseBundle(unsigned, strict))).toBe('BUNDLE_UNSIGNED');
  });

  test('another key, an unknown key id, a broken signature', () => {
    const other = generateKeyPairSync('ed25519');
    const forged = signBundle(unsigned, other.privateKey, 'release-1');
    expect(codeOf(() => parseBundle(forged, strict))).toBe('BUNDLE_SIGNATURE');
    const renamed = signBundle(unsigned, KEYS.privateKey, 'release-2');
    expect(codeOf(() => parseBundle(renamed, strict))).toBe('BUNDLE_SIGNATURE');
    expect(codeOf(() => parseBundle(signed, { ...strict, trustedKeys: [] }))).toBe('BUNDLE_SIGNATURE');
    const broken = signed.slice();
    broken[broken.length - 1]! ^= 1;
    expect(codeOf(() => parseBundle(broken, strict))).toBe('BUNDLE_SIGNATURE');
  });

  test('a signature that is there is checked even when none is required, if keys are known', () => {
    const broken = signed.slice();
    broken[broken.length - SIGN_BYTES + 40]! ^= 1;
    const optional = { requireSigned: false, trustedKeys: TRUSTED };
    expect(codeOf(() => parseBundle(broken, optional))).toBe('BUNDLE_SIGNATURE');
    expect(parseBundle(signed, LAX).signedBy).toBeNull();
  });

  test('a bundle that hides its signature by the flag is corrupt', () => {
    const hidden = withHeader(signed, (view) =>
      view.setUint32(HEADER.flags, view.getUint32(HEADER.flags, true) & ~1, true),
    );
    expect(codeOf(() => parseBundle(hidden, LAX))).toBe('BUNDLE_CORRUPT');
  });

  test('key ids and key types are checked before signing', () => {
    expect(codeOf(() => signBundle(unsigned, KEYS.privateKey, ''))).toBe('BUNDLE_SIGNATURE');
    expect(codeOf(() => signBundle(unsigned, KEYS.privateKey, 'x'.repeat(33)))).toBe('BUNDLE_SIGNATURE');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    expect(codeOf(() => signBundle(unsigned, rsa.privateKey, 'k'))).toBe('BUNDLE_SIGNATURE');
  });
});

describe('header and file', () => {
  const bytes = packBundle(smallSpec(1));

  test.each([
    [
      'another major version',
      'BUNDLE_UNSUPPORTED',
      (view: DataView) => view.setUint16(HEADER.major, 2, true),
    ],
    ['a newer runtime', 'BUNDLE_UNSUPPORTED', (view: DataView) => view.setUint32(HEADER.minRuntime, 2, true)],
    ['an unknown flag', 'BUNDLE_UNSUPPORTED', (view: DataView) => view.setUint32(HEADER.flags, 0x100, true)],
    ['a wrong length', 'BUNDLE_CORRUPT', (view: DataView) => view.setUint32(HEADER.totalBytes, 5, true)],
    [
      'too many sections',
      'BUNDLE_TOO_LARGE',
      (view: DataView) => view.setUint32(HEADER.sectionCount, 4e9, true),
    ],
    ['a wrong tree count', 'BUNDLE_CORRUPT', (view: DataView) => view.setUint32(HEADER.treeCount, 9, true)],
    ['a wrong base', 'BUNDLE_CORRUPT', (view: DataView) => view.setFloat64(HEADER.base, 9, true)],
    ['a wrong creation time', 'BUNDLE_CORRUPT', (view: DataView) => view.setUint8(HEADER.createdMs, 1)],
    ['a reserved byte', 'BUNDLE_CORRUPT', (view: DataView) => view.setUint8(HEADER.zero, 1)],
  ])('%s is %s', (_, code, change) => {
    expect(codeOf(() => parseBundle(withHeader(bytes, change), LAX))).toBe(code);
  });

  test('nothing, text, a text-mode copy', () => {
    expect(codeOf(() => parseBundle(new Uint8Array(0), LAX))).toBe('BUNDLE_CORRUPT');
    expect(codeOf(() => parseBundle(new TextEncoder().encode('not a bundle'.repeat(20)), LAX))).toBe(
      'BUNDLE_CORRUPT',
    );
    const text = Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
    expect(() => parseBundle(text, LAX)).toThrow(/magic/);
  });
});

/** The small spec with one tree of its verdict changed. */
function withTree(change: (tree: Tree, ensemble: Ensemble) => void): BundleSpec {
  const spec = smallSpec(6);
  const { ensemble } = spec.detectors[1]!;
  change(ensemble.trees.find((tree) => tree.left.length >= 5)!, ensemble);
  return spec;
}

describe('trees that are no trees', () => {
  test.each([
    ['a cycle', (tree: Tree) => tree.left.fill(0, 1, 2).fill(1, 2, 3)],
    ['a child before its parent', (tree: Tree) => tree.left.fill(1, 1, 2)],
    ['a child outside', (tree: Tree) => tree.left.fill(tree.left.length - 1, 0, 1)],
    ['an orphan', (tree: Tree) => tree.left.fill(0, 0, 1)],
    ['an input that is not there', (tree: Tree) => tree.feature.fill(3, 0, 1)],
    ['a threshold that is not a number', (tree: Tree) => tree.threshold.fill(Number.NaN, 0, 1)],
    ['an infinite threshold', (tree: Tree) => tree.threshold.fill(Infinity, 0, 1)],
    ['an infinite leaf', (tree: Tree) => tree.value.fill(Infinity)],
    ['an overflowing sum', (tree: Tree) => tree.value.fill(Number.MAX_VALUE)],
    ['an unknown flag', (tree: Tree) => tree.flags.fill(64, 0, 1)],
    ['missing type 3', (tree: Tree) => tree.flags.fill(12, 0, 1)],
    ['a set that is not there', (tree: Tree) => tree.flags.fill(2, 0, 1)],
    ['covers that do not add up', (tree: Tree) => tree.cover!.fill(1)],
    ['a cover of 0', (tree: Tree) => tree.cover!.fill(0)],
    ['a NaN split with a number', (tree: Tree) => tree.flags.fill(16 | 8, 0, 1)],
  ])('%s', (_, change) => {
    expect(codeOf(() => packBundle(withTree(change)))).toBe('BUNDLE_MODEL');
  });

  test('the message names detector, tree and node', () => {
    const spec = withTree((tree) => tree.threshold.fill(Number.NaN, 0, 1));
    expect(() => packBundle(spec)).toThrow(
      /detector verdict, tree \d+, node 0: the threshold is not a number/,
    );
  });

  test('a tree deeper than 64', () => {
    const ensemble = randomEnsemble(seededRandom(1), { trees: 1, leaves: [70, 70], inputs: [0] });
    const [tree] = ensemble.trees;
    tree!.left.forEach((_, node) => {
      tree!.left[node] = node % 2 === 0 && node + 2 < 139 ? node + 1 : 0;
    });
    const chain = { ...tree!, feature: new Uint16Array(139), flags: new Uint8Array(139), cover: null };
    expect(() => packBundle(verdictSpec({ ...ensemble, trees: [chain] }, seededRandom(1)))).toThrow(
      /69 deep/,
    );
  });

  test('detectors: no verdict, two of a name, a slot that is not written yet, an on-demand slot', () => {
    const spec = smallSpec(1);
    const [novelty, verdict, attack] = spec.detectors;
    const pack = (detectors: BundleSpec['detectors']) => codeOf(() => packBundle({ ...spec, detectors }));
    expect(pack([novelty!, attack!])).toBe('BUNDLE_MODEL');
    expect(pack([novelty!, verdict!, attack!, { ...attack!, name: 'novelty' }])).toBe('BUNDLE_MODEL');
    expect(pack([verdict!, novelty!, attack!])).toBe('BUNDLE_MODEL');
    expect(pack([{ ...novelty!, onDemand: true }, verdict!, attack!])).toBe('BUNDLE_MODEL');
    expect(pack([novelty!, { ...verdict!, onDemand: true }, attack!])).toBe('BUNDLE_MODEL');
    expect(pack([novelty!, { ...verdict!, name: 'Verdict!' }, attack!])).toBe('BUNDLE_MODEL');
  });
});

describe('features', () => {
  test('what this build offers loads; a foreign id and a name without id are refused and named', () => {
    const bundle = bundleOf(smallSpec(1));
    expect(codeOf(() => parseBundle(packBundle(smallSpec(1)), { ...LAX, offeredIds: OFFERED_IDS }))).toBe(
      'no error',
    );
    expect(prepareBundle(bundle, OFFERED).places).toEqual([4, 5, 6]);
    const spec = smallSpec(1);
    const foreign = {
      ...spec,
      features: [spec.features[0]!, { id: 9999, name: 'tomorrow' }, { id: 0, name: 'local' }],
    };
    expect(() => parseBundle(packBundle(foreign), { ...LAX, offeredIds: OFFERED_IDS })).toThrow(
      'features not offered: tomorrow (id 9999), local',
    );
    expect(codeOf(() => prepareBundle(bundleOf(foreign), OFFERED))).toBe('BUNDLE_FEATURES');
  });

  test('places follow the offered list, not the order in the bundle', () => {
    const spec = smallSpec(1);
    const names = ['other', ...spec.features.map((f) => f.name).reverse()];
    const prepared = prepareBundle(bundleOf(spec), offeredByName(names));
    expect(prepared.places).toEqual([3, 2, 1]);
    expect(prepared.slotsAt).toBe(4);
  });

  test('a prepared bundle survives structured cloning', () => {
    const prepared = prepareBundle(bundleOf(smallSpec(1)), OFFERED);
    const core = new Core();
    core.stage(structuredClone(prepared));
    core.warmUp(1);
    core.activate();
    expect(core.activeId).toBe(prepared.id);
  });
});

test('a golden row that does not fit the trees fails the self-test when the bundle is prepared', () => {
  const bundle = bundleOf(smallSpec(1));
  const slots = bundle.golden.slots.slice();
  slots[0] = slots[0]! + 1;
  const changed = { ...bundle, golden: { ...bundle.golden, slots } };
  expect(codeOf(() => prepareBundle(changed))).toBe('BUNDLE_SELF_TEST');
});

test('the committed bundle of format 1.0 still loads, with the same id and the same margins', () => {
  const file = new URL('../../test/fixtures/bundles/v1.0-small.bundle', import.meta.url);
  const bundle = parseBundle(readFileSync(file), LAX);
  expect(bundle.id).toBe('3fff77e1bf70a9e1269598d021c640b7f2af5917bfc7b18ea16de27e8eeddcb2');
  expect(bundle.detectors.map((d) => d.name)).toEqual(['novelty', 'verdict', 'attack_class']);
  const core = new Core();
  core.stage(prepareBundle(bundle));
  core.warmUp(1);
  core.activate();
  expect(core.activeId).toBe(bundle.id);
});
