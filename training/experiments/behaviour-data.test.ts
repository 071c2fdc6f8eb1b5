// Reading the behaviour data: which rows are learnt from, and call graphs beside the features against the stored columns.
// The graphs are made by hand, as are their degrees. The command's own refusals are in test/integration/experiment.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BEHAVIOUR_FEATURES, BEHAVIOUR_SUMMARY, readBehaviour } from './behaviour-data.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'picket-behaviour-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** n_connections; global source avg, std, min, max; global dest avg, min, max; local source std. */
const ROWS = [
  `one,default,normal,2,3,0,3,3,1.5,1,2,0`,
  `two,default,outlier,1,3,,3,3,2,2,2,`,
  `three,datacenter,outlier,1,1,,1,1,1,1,1,`,
];

function write(rows: readonly string[]): void {
  const header = ['_id', 'ip_type', 'classification', ...BEHAVIOUR_FEATURES, ...BEHAVIOUR_SUMMARY].join(',');
  const text = [header, ...rows.map((row) => `${row},1,1,1,1`), ''].join('\n');
  writeFileSync(join(FOLDER, 'features.csv'), text);
}

describe('readBehaviour', () => {
  it('learns from ordinary addresses only and remembers where they stand', async () => {
    write([ROWS[2]!, ROWS[0]!, ROWS[1]!]);
    const data = await readBehaviour(FOLDER);
    expect(data).toMatchObject({ rowCount: 3, graphs: null });
    expect([...data.learntRows]).toEqual([1, 2]);
    expect([...data.learnt.labels]).toEqual([0, 1]);
    expect(data.learnt.columns[2]![1]).toBeNaN();
  });

  it('compares stored features with those of the call graphs, and sees a wrong one', async () => {
    const call = (fromId: string, toId: string) => ({ fromId, toId });
    const graphs = [
      { _id: 'one', call_graph: [call('a', 'b'), call('a', 'c')] },
      { _id: 'two', call_graph: [call('a', 'b')] },
      { _id: 'three', call_graph: [call('d', 'e')] },
    ];
    writeFileSync(join(FOLDER, 'supervised_call_graphs.json'), JSON.stringify(graphs));
    write(ROWS);
    const right = await readBehaviour(FOLDER);
    expect(right.graphs).toMatchObject({ graphs: 3, rowsFound: 3 });
    expect([...right.graphs!.differences.values()]).toEqual(BEHAVIOUR_FEATURES.map(() => 0));
    write([ROWS[0]!.replace('2,3,0,3,3', '2,4,0,3,3'), ROWS[1]!.replace('3,,3,3', '3,7,3,3')]);
    const wrong = (await readBehaviour(FOLDER)).graphs!;
    expect(wrong.differences.get('avg_global_source_degrees')).toBe(0.25);
    expect(wrong.differences.get('std_global_source_degrees')).toBe(Infinity);
    expect(wrong.differences.get('n_connections')).toBe(0);
  });
});
