// What the origin answered to a forwarded request. Our own refusals are no outcome: they say nothing about the origin.
// Brought back into rows by feature-engine and into the event by proxy.

export interface Outcome {
  /** Status of the origin's answer, 0 if none came. */
  readonly status: number;
  /** From accept to the end of the answer, milliseconds. */
  readonly latencyMs: number;
  /** Request body bytes that were forwarded. */
  readonly bytesIn: number;
  /** Response body bytes that were passed on. */
  readonly bytesOut: number;
  /** When the answer ended. */
  readonly atMs: number;
}
