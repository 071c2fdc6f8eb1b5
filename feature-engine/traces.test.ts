// Traces are read back until they are overtaken, and never mixed up.
import { expect, it } from 'vitest';
import { newAsked, Traces } from './traces.ts';

it('traces are read back until 4096 later ones have come', () => {
  const traces = new Traces();
  const asked = newAsked();
  const numbers = { subnet: -2, network: 3, agentRoute: 4, identity: 5, login: 6, route: -7, withId: true };
  const first = traces.add({ address: 1, ...numbers });
  for (let n = 0; n < 4095; n++) traces.add({ ...newAsked(), address: n, route: n });
  expect(traces.find(first, asked)).toBe(true);
  expect(asked).toEqual({ address: 1, ...numbers });
  expect(traces.find(first + 17, asked)).toBe(true);
  expect(asked).toEqual({ ...newAsked(), address: 16, route: 16 });
  traces.add(newAsked());
  for (const gone of [first, 0, -1, 4098, Number.NaN])
    expect([gone, traces.find(gone, asked)]).toEqual([gone, false]);
});
