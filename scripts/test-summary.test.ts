// The summary line decides whether CI believes us: every way to fail must show in it.
import { describe, expect, it } from 'vitest';
import { addCounts, countReport, summaryLine } from './test-summary.ts';

function report(over: Record<string, unknown>): string {
  return JSON.stringify({
    success: true,
    numPassedTests: 3,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [],
    ...over,
  });
}

describe('countReport', () => {
  it('counts what the report says', () => {
    const json = report({ success: false, numFailedTests: 2, numPendingTests: 1, numTodoTests: 1 });
    expect(countReport(json, 1)).toEqual({ passed: 3, failed: 2, skipped: 2 });
  });

  it('counts a file that could not be loaded', () => {
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
    ];
    expect(countReport(report({ success: false, numFailedTests: 1, testResults }), 1).failed).toBe(2);
  });

  it('counts a run that failed with no failing test, and a report that is missing or cut', () => {
    expect(countReport(report({}), 1).failed).toBe(1);
    expect(countReport(report({ success: false }), 0).failed).toBe(1);
    expect(countReport('', 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(countReport('{"success": tr', 0).failed).toBe(1);
  });
});

describe('summaryLine', () => {
  it('names skipped tests only when there are any', () => {
    expect(summaryLine({ passed: 4, failed: 0, skipped: 0 })).toBe('4 passed, 0 failed');
    expect(summaryLine({ passed: 4, failed: 1, skipped: 2 })).toBe('4 passed, 1 failed, 2 skipped');
  });

  it('adds', () => {
    const sum = addCounts({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 });
    expect(sum).toEqual({ passed: 11, failed: 22, skipped: 33 });
  });
});
