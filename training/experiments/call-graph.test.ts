// Graph features against figures worked out by hand, invariants on drawn graphs, and refusals that name the place.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallGraph, graphFeatures, parseCallGraphs } from './call-graph.ts';

const edge = (fromId: string, toId: string) => ({ fromId, toId });

describe('graphFeatures', () => {
  it('counts over all graphs and within each', () => {
    const graphs: CallGraph[] = [
      { id: 'one', edges: [edge('a', 'b'), edge('a', 'c'), edge('b', 'c')] },
      { id: 'two', edges: [edge('a', 'c')] },
    ];
    const [one, two] = graphFeatures(graphs);
    // Leaving: a 3, b 1 everywhere; a 2, b 1 in the first. Reaching: b 1, c 3 everywhere; b 1, c 2 in the first.
    expect(one).toMatchObject({
      n_connections: 3,
      avg_global_source_degrees: 7 / 3,
      std_global_source_degrees: Math.sqrt(4 / 3),
      min_global_source_degrees: 1,
      max_global_source_degrees: 3,
      avg_global_dest_degrees: 7 / 3,
      min_global_dest_degrees: 1,
      max_global_dest_degrees: 3,
      avg_local_source_degrees: 5 / 3,
      std_local_source_degrees: expect.closeTo(Math.sqrt(1 / 3), 15),
      max_local_dest_degrees: 2,
    });
    expect(two).toMatchObject({ n_connections: 1, avg_global_source_degrees: 3, max_global_dest_degrees: 3 });
    expect(two!['std_local_source_degrees']).toBeNaN();
    expect(Object.keys(one!)).toHaveLength(17);
  });

  it('keeps local degrees within global ones, and means within their ranges', () => {
    const api = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const edges = fc.array(fc.record({ fromId: api, toId: api }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(edges, { minLength: 1, maxLength: 6 }), (lists) => {
        const all = graphFeatures(lists.map((list, i) => ({ id: String(i), edges: list })));
        for (const features of all) {
          for (const end of ['source', 'dest']) {
            const local = features[`max_local_${end}_degrees`]!;
            expect(local).toBeLessThanOrEqual(features['n_connections']!);
            expect(local).toBeLessThanOrEqual(features[`max_global_${end}_degrees`]!);
            const mean = features[`avg_global_${end}_degrees`]!;
            expect(mean).toBeGreaterThanOrEqual(features[`min_global_${end}_degrees`]! - 1e-9);
            expect(mean).toBeLessThanOrEqual(features[`max_global_${end}_degrees`]! + 1e-9);
          }
        }
      }),
    );
  });
});

describe('parseCallGraphs', () => {
  it('reads the notebooks’ form', () => {
    const text = '[{"_id":"x","call_graph":[{"fromId":"a","toId":"b"}]}]';
    expect(parseCallGraphs(text)).toEqual([{ id: 'x', edges: [edge('a', 'b')] }]);
  });

  it.each([
    ['{', /JSON/],
    ['{}', /the whole: a list/],
    ['[1]', /graph 0: an object/],
    ['[{"_id":1}]', /graph 0, _id/],
    ['[{"_id":"x","call_graph":[]}]', /graph 0, call_graph/],
    ['[{"_id":"x","call_graph":[{"fromId":"a"}]}]', /graph 0, edge 0/],
    ['[{"_id":"x","call_graph":[{"fromId":"a","toId":"b"}]},{"_id":"x","call_graph":[]}]', /graph 1, _id/],
  ])('refuses %s with the place', (text, message) => {
    expect(() => parseCallGraphs(text)).toThrow(message);
  });
});
