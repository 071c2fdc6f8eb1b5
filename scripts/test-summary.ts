// Counts a vitest JSON report and words the summary line that CI reads. Pure; runs nothing.
// A run that dies, or a file that cannot be loaded, is never counted as a pass. Called by test.ts.

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface VitestReport {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

function parse(json: string): VitestReport | undefined {
  try {
    return JSON.parse(json) as VitestReport;
  } catch {
    return undefined;
  }
}

/**
 * Counts the tests of a vitest JSON report (`json`, empty when none was written) of a run that ended with `exitCode`.
 * A file that failed outside its tests counts as one failure; so does a run that failed with no failing test.
 */
export function countReport(json: string, exitCode: number): Counts {
  const report = parse(json);
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  const silent = failed === 0 && (exitCode !== 0 || !report.success) ? 1 : 0;
  return {
    passed: report.numPassedTests,
    failed: failed + silent,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

export function addCounts(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** `N passed, N failed`, with `, N skipped` only when something was. */
export function summaryLine(counts: Counts): string {
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`;
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`;
}
