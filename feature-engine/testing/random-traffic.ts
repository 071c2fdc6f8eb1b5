// Small random requests for tests of the engine: few identities, addresses, paths and agents, so that everything repeats.
// Never used outside tests.

import { HeadView } from '../../domain/head-view.ts';
import { newRequestIdentity, ownPrincipal } from '../../domain/identity.ts';
import type { Random } from '../../domain/random.ts';
import { hashBytes, mix32 } from '../sketch.ts';

const METHOD_NAMES = ['GET', 'GET', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'BREW'];
const PATHS = ['/', '/a', '/a/1', '/a/2', '/a/%2e%2e/b', '/b//c', '/b;x/c', '/caf%C3%A9', '/list'];
const QUERIES = ['', '', '?', '?q=1', '?a=1&b=2&&c', '?x=%27%20or&y="'];

export interface DrawnRequest {
  readonly method: string;
  readonly identity: string;
  readonly address: string;
  readonly target: string;
  readonly agent: string;
  readonly contentLength: number;
}

export function drawRequest(random: Random): DrawnRequest {
  const pick = <T>(items: readonly T[]): T => items[random.int(items.length)] as T;
  return {
    method: pick(METHOD_NAMES),
    identity: `id${random.int(4)}`,
    address: `address${random.int(3)}`,
    target: pick(PATHS) + pick(QUERIES),
    agent: pick(['', 'agent one', 'second agent', 'three']),
    contentLength: pick([Number.NaN, 0, 12, 4096]),
  };
}

export function fillHead(head: HeadView, drawn: DrawnRequest): HeadView {
  head.begin(drawn.method, drawn.target);
  head.add('host', 'shop');
  if (drawn.agent !== '') head.userAgentField = head.add('user-agent', drawn.agent);
  head.contentLength = drawn.contentLength;
  return head;
}

/** A 128-bit key from text, for tests only: not keyed, not secret. */
export function testKey(text: string, key: Uint32Array = new Uint32Array(4)): Uint32Array {
  const bytes = new TextEncoder().encode(text);
  for (let i = 0; i < 4; i++) key[i] = hashBytes(bytes, 0, bytes.length, mix32(i + 1));
  return key;
}

export function testIdentity(identity: string, address: string) {
  const who = newRequestIdentity();
  who.kind = 0;
  testKey(`i ${identity}`, who.key);
  ownPrincipal(who);
  testKey(`a ${address}`, who.addressKey);
  return who;
}

export function newHead(): HeadView {
  return new HeadView();
}
