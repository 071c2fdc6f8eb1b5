// Node's IncomingMessage without its merged header object: Picket reads raw headers only, and Node itself wants just `expect`.
// Saves building an object per request. http-proxy assigns the cleaned list of an upgrade to `headers`.

import { type IncomingHttpHeaders, IncomingMessage } from 'node:http';

const NONE: IncomingHttpHeaders = Object.freeze(Object.create(null));

/** What shouldUpgradeCallback, server and rules need is in rawHeaders; see the head of this file. */
export class LeanRequest extends IncomingMessage {
  assignedHeaders: IncomingHttpHeaders | null = null;
}

Object.defineProperty(LeanRequest.prototype, 'headers', {
  configurable: true,
  get(this: LeanRequest): IncomingHttpHeaders {
    return this.assignedHeaders ?? expectOnly(this.rawHeaders);
  },
  set(this: LeanRequest, headers: IncomingHttpHeaders) {
    this.assignedHeaders = headers;
  },
});

/** The first `Expect` line, which Node looks at to tell `checkContinue` from `request`. */
function expectOnly(raw: readonly string[]): IncomingHttpHeaders {
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length === 6 && name.toLowerCase() === 'expect') return { expect: raw[i + 1] };
  }
  return NONE;
}
