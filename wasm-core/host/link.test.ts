// From margins to scores: each link by hand-made values, which detector answers, and manifests whose answer is malformed.
import { describe, expect, test } from 'vitest';
import type { ModelAnswer, ModelLink } from '../../domain/model-manifest.ts';
import { bundleOf, smallSpec } from '../testing/test-bundle.ts';
import { packBundle } from './bundle.ts';
import { VERDICT } from './ensemble.ts';
import { answerOf, linked } from './link.ts';

describe('links', () => {
  test.each<[ModelLink, number[], number[]]>([
    [{ kind: 'identity' }, [0.25, -3], [0.25, -3]],
    [{ kind: 'logistic', scale: 1 }, [0, Math.log(3), -800], [0.5, 0.75, 0]],
    [{ kind: 'logistic', scale: 2 }, [Math.log(3) / 2], [0.75]],
    [{ kind: 'exp' }, [0, Math.log(7)], [1, 7]],
    [{ kind: 'softmax' }, [1000, 1000, -1000], [0.5, 0.5, 0]],
    [{ kind: 'depth', divisor: 4 }, [4, 8, 0], [0.5, 0.25, 1]],
  ])('%o', (link, margins, scores) => {
    const found = linked(link, Float64Array.from(margins));
    scores.forEach((score, i) => {
      expect(found[i]).toBeCloseTo(score, 15);
    });
    expect(found).toHaveLength(scores.length);
  });
});

describe('the answer of a bundle', () => {
  const spec = smallSpec(1);
  const withAnswer = (answer: unknown) => ({
    ...spec,
    manifest: { ...spec.manifest, answer: answer as ModelAnswer },
  });
  const link = { kind: 'identity' } as const;

  test('is the logistic of the verdict unless the manifest says otherwise', () => {
    const { detector, link: found } = answerOf(bundleOf(spec));
    expect(detector.name).toBe(VERDICT);
    expect(found).toEqual({ kind: 'logistic', scale: 1 });
    const answer = { detector: VERDICT, link, classes: ['a'] };
    expect(answerOf(bundleOf(withAnswer(answer))).link).toEqual(link);
  });

  test('cannot be a detector that is not there, or that runs only when asked for', () => {
    expect(() => answerOf(bundleOf(withAnswer({ detector: 'nobody', link, classes: [] })))).toThrow(/nobody/);
    const bundle = bundleOf(spec);
    const detectors = bundle.detectors.map((detector) => ({ ...detector, onDemand: true }));
    expect(() => answerOf({ detectors, manifest: bundle.manifest })).toThrow(/no detector verdict answers/);
  });

  test.each([
    [{}],
    [{ detector: 1, link, classes: [] }],
    [{ detector: VERDICT, link: { kind: 'other' }, classes: [] }],
    [{ detector: VERDICT, link: { kind: 'logistic' }, classes: [] }],
    [{ detector: VERDICT, link: { kind: 'depth', divisor: 0 }, classes: [] }],
    [{ detector: VERDICT, link, classes: [1] }],
    [{ detector: VERDICT, link, classes: 'a' }],
    [null],
  ])('malformed is refused: %j', (answer) => {
    expect(() => packBundle(withAnswer(answer))).toThrow(/section META: missing or malformed: answer/);
  });
});
