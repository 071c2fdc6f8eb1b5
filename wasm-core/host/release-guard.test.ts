// What the release build must never contain: imports, memory growth, the AssemblyScript runtime, anything
// that allocates. Reads the text form that asc writes beside the binary.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadCoreModule } from './core-module.ts';

interface ModuleFacts {
  imports(module: object): unknown[];
  exports(module: object): { name: string; kind: string }[];
}

const facts = (globalThis as unknown as { WebAssembly: { Module: ModuleFacts } }).WebAssembly.Module;

describe.each(['release', 'debug'] as const)('%s build', (variant) => {
  const text = readFileSync(new URL(`../build/${variant}.wat`, import.meta.url), 'utf8');

  test('imports nothing and exports what the host calls', () => {
    const module = loadCoreModule(variant);
    expect(facts.imports(module)).toEqual([]);
    const names = facts.exports(module).map(({ name, kind }) => `${kind} ${name}`);
    expect(names.sort()).toEqual([
      'function explain',
      'function runDetector',
      'function score',
      'memory memory',
    ]);
  });

  test('cannot grow memory and holds no runtime, table or data', () => {
    expect(text).toMatch(/\(memory \$0 4 4096\)/);
    expect(text).not.toContain('memory.grow');
    expect(text).not.toMatch(/~lib\/(rt|array|string|staticarray|typedarray)/);
    expect(text).not.toMatch(/call_indirect|\(data /);
  });
});

test('only the debug build carries assertions', () => {
  const read = (variant: string) => readFileSync(new URL(`../build/${variant}.wat`, import.meta.url), 'utf8');
  expect(read('release')).not.toContain('unreachable');
  expect(read('debug')).toContain('unreachable');
});
