// Words for the end of a run: one line per figure, every threshold with kept or MISSED, one line of JSON last.
// Pure over k6's summary data. Used by smoke.js and toggle.js in handleSummary.

/**
 * @typedef {object} Metric
 * @property {Record<string, number>} values
 * @property {Record<string, {ok: boolean}>} [thresholds]
 */

/**
 * Figures that a script adds to its summary.
 * @typedef {Record<string, number | undefined>} Figures
 */

/**
 * @param {Record<string, Metric>} metrics
 * @param {string} name
 * @param {string} value
 * @returns {number | undefined}
 */
export function figure(metrics, name, value) {
  const found = metrics[name]?.values[value];
  return found === undefined ? undefined : Math.round(found * 1000) / 1000;
}

/**
 * @param {string} title
 * @param {Record<string, Metric>} metrics
 * @param {Figures} figures
 * @returns {{stdout: string}}
 */
export function summarise(title, metrics, figures) {
  const lines = [`\n${title}`];
  for (const [name, value] of Object.entries(figures)) lines.push(`  ${name}: ${value ?? 'none'}`);
  /** @type {string[]} */
  const missed = [];
  for (const [name, metric] of Object.entries(metrics)) {
    for (const [bound, { ok }] of Object.entries(metric.thresholds ?? {})) {
      lines.push(`  ${ok ? 'kept  ' : 'MISSED'} ${name}: ${bound}`);
      if (!ok) missed.push(`${name}: ${bound}`);
    }
  }
  lines.push(JSON.stringify({ script: title, ...figures, missed }), '');
  return { stdout: lines.join('\n') };
}
