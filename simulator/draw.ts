// Small random draws that the personas share: normal, lognormal, Zipf, addresses, tokens. All from a seeded generator.
// Shapes and figures are those of the traffic model; nothing here knows a persona.

import type { Random } from '../domain/random.ts';

export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[random.int(items.length)];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
}

export function chance(random: Random, probability: number): boolean {
  return random.next() < probability;
}

/** Uniform in [from, to). */
export function between(random: Random, from: number, to: number): number {
  return from + random.next() * (to - from);
}

/** Uniform on a logarithmic scale in [from, to). */
export function logBetween(random: Random, from: number, to: number): number {
  return from * (to / from) ** random.next();
}

export function lognormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * random.normal());
}

export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.next());
}

/** |N(mean, sd)|. */
export function foldedNormal(random: Random, mean: number, sd: number): number {
  return Math.abs(mean + sd * random.normal());
}

/** 0..n-1 with weight 1 / (rank + 1)^s, by inverting the continuous law (s not 1). */
export function zipf(random: Random, n: number, s: number): number {
  const top = n ** (1 - s) - 1;
  return Math.min(n - 1, Math.floor((random.next() * top + 1) ** (1 / (1 - s)) - 1));
}

const HEX = '0123456789abcdef';
const WORD = 'abcdefghijklmnopqrstuvwxyz0123456789';

export function hexText(random: Random, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += HEX[random.int(16)];
  return text;
}

export function wordText(random: Random, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += WORD[random.int(36)];
  return text;
}

export function letters(random: Random, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += WORD[random.int(26)];
  return text;
}

/** First octets of ranges that people's lines have; none is reserved or multicast. */
const PUBLIC_FIRST = [
  2, 5, 24, 31, 37, 46, 62, 73, 78, 80, 82, 86, 90, 92, 95, 99, 109, 122, 151, 178, 189, 201, 213,
];

/** A public IPv4 address, or (one in twelve) a global IPv6 one. */
export function homeAddress(random: Random): string {
  if (chance(random, 1 / 12))
    return `2a02:${hexText(random, 4)}:${hexText(random, 4)}:1::${1 + random.int(9)}`;
  return `${pick(random, PUBLIC_FIRST)}.${random.int(256)}.${random.int(256)}.${1 + random.int(254)}`;
}

/** Any of the 2^32 IPv4 addresses, as the tool's stolen-token attack draws them. */
export function anyAddress(random: Random): string {
  const word = random.uint32();
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

function pickCarrier(network: number): number {
  return PUBLIC_FIRST[(network * 5 + 3) % PUBLIC_FIRST.length] as number;
}

/** An address within one carrier network (/20). */
export function carrierAddress(random: Random, network: number): string {
  const low = random.int(4096);
  const third = ((network * 16) & 240) | (low >> 8);
  return `${pickCarrier(network)}.${(network * 37) & 255}.${third}.${low & 255}`;
}
