// The requests of a run, drawn by the simulator and written by run.ts: normal users and attackers, each in time order.
// Sends one of them and says what came of it; keeps no state of its own. Used by smoke.js and toggle.js.
import { SharedArray } from 'k6/data';
import http from 'k6/http';
import { planFile } from './env.js';

/**
 * @typedef {object} Planned
 * @property {string} label `normal` or the attack's name
 * @property {string} actor
 * @property {number} nth 1 for the actor's first request
 * @property {string} method
 * @property {string} target
 * @property {Record<string, string>} headers
 * @property {string | null} body
 */

/** @returns {Planned[]} */
const everything = () => JSON.parse(open(planFile)).requests;

/** @type {Planned[]} */
export const normal = new SharedArray('normal', () => everything().filter((one) => one.label === 'normal'));
/** @type {Planned[]} */
export const attacks = new SharedArray('attacks', () => everything().filter((one) => one.label !== 'normal'));

/** An actor's first requests look like anyone's: refusals are counted from the sixth. */
export const WARM_UP_REQUESTS = 5;

/**
 * Sends a planned request. `refused`: Picket answered by policy; `answered`: the API's own answer arrived.
 * @param {string} origin
 * @param {Planned} one
 * @returns {{refused: boolean, answered: boolean, durationMs: number}}
 */
export function send(origin, one) {
  const response = http.request(one.method, origin + one.target, one.body, {
    headers: one.headers,
    redirects: 0,
    timeout: '10s',
    tags: { name: one.label },
    responseCallback: http.expectedStatuses({ min: 200, max: 599 }),
  });
  const byPicket = String(response.headers['Content-Type'] ?? '').startsWith('application/problem+json');
  const text = byPicket && typeof response.body === 'string' ? response.body : '';
  return {
    refused: text.includes('"policy.blocked"'),
    answered: response.status !== 0 && !byPicket,
    durationMs: response.timings.duration,
  };
}
