// The explained identities of `picket replay --explain` as text for a terminal.
// Formats only; explain.ts finds them.

import type { Explained, Reason } from './explain.ts';

function number(value: number | null): string {
  if (value === null) return 'missing';
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function reasonLine({ feature, unit, value, ordinary, gain }: Reason): string {
  const name = unit === 'flag' ? feature : `${feature} (${unit})`;
  return `    +${gain.toFixed(2).padStart(5)}  ${name}: ${number(value)}, ordinary ${number(ordinary)}`;
}

/** One block per identity, the highest score first. */
export function explainedText(explained: readonly Explained[]): string {
  const blocks = explained.map((one, i) => {
    const { request } = one;
    const ordinary = `of the ordinary request ${one.ordinary_margin.toFixed(2)}`;
    const margin = `margin ${one.margin.toFixed(2)}, ${ordinary}`;
    return [
      `${i + 1}. ${one.identity}  score ${one.score.toFixed(4)} (${margin})`,
      `    ${request.time}  ${request.method} ${request.path.slice(0, 120)}  ${request.status}`,
      ...one.signals.map((signal) => `    signal: ${signal}`),
      ...one.reasons.map(reasonLine),
      `    ${one.rest < 0 ? '-' : '+'}${Math.abs(one.rest).toFixed(2).padStart(5)}  rest`,
    ].join('\n');
  });
  return ['highest scores:', ...blocks].join('\n');
}
