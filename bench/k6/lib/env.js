// The settings of a k6 run, read and refused in one place. run.ts sets them; by hand: k6 run -e SIDECAR=http://… smoke.js
// Loaded by the scripts' init stage, so a missing setting ends the run before the first request.

/**
 * @param {string} name
 * @param {RegExp} shape
 * @param {string} [fallback]
 * @returns {string}
 */
function setting(name, shape, fallback) {
  const value = __ENV[name] ?? fallback;
  if (value === undefined || !shape.test(value)) throw new Error(`${name}=${value}: expected ${shape}`);
  return value;
}

const ORIGIN = /^http:\/\/[^/]+$/;

/** The sidecar's listener. */
export const sidecar = setting('SIDECAR', ORIGIN);
/** The sample API behind it. */
export const upstream = setting('UPSTREAM', ORIGIN);
/** HOST:PORT of the control plane's gRPC listener. */
export const controlPlane = setting('CONTROL_PLANE', /^[^/]+:\d+$/);
/** The plan file that run.ts writes. */
export const planFile = setting('PLAN', /\.json$/);
/** Length of the load, seconds. */
export const seconds = Number(setting('SECONDS', /^\d+$/, '30'));
