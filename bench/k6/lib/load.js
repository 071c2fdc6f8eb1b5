// The one kind of load these scripts use: an open model, where a new request starts on time whether or not the one before
// has been answered, so a slow answer cannot hide by slowing the sender. Used by smoke.js and toggle.js.
import { seconds } from './env.js';

/**
 * @param {string} run name of the exported function
 * @param {number} perSec
 * @returns {import('k6/options').ConstantArrivalRateScenario}
 */
export function steady(run, perSec) {
  return {
    executor: 'constant-arrival-rate',
    exec: run,
    rate: Math.max(1, Math.floor(perSec)),
    timeUnit: '1s',
    duration: `${seconds}s`,
    preAllocatedVUs: 40,
    maxVUs: 300,
  };
}
