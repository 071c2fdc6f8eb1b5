// What the demo asks of its control plane, over gRPC like any operator: switch the mode, count events, list flagged ids.
// Loopback only, no TLS. Called by cli/demo.ts.

import { credentials } from '@grpc/grpc-js';
import type { Mode, Verdict } from '../../domain/verdict.ts';
import {
  ControlServiceClient,
  type GetStatusResponse,
  type SetModeResponse,
} from '../../proto/gen/picket/v1/control.ts';
import { type ListVerdictsResponse, VerdictServiceClient } from '../../proto/gen/picket/v1/verdict.ts';
import { modeWords, verdictWords } from '../../proto/words.ts';

const FLAGGED: readonly Verdict[] = ['flag', 'block'];

export class DemoControl {
  readonly #control: ControlServiceClient;
  readonly #verdicts: VerdictServiceClient;

  /** `address`: HOST:PORT on loopback. */
  constructor(address: string) {
    this.#control = new ControlServiceClient(address, credentials.createInsecure());
    this.#verdicts = new VerdictServiceClient(address, credentials.createInsecure());
  }

  /** Switches the whole fleet and waits for every sidecar's ack. */
  setMode(mode: Mode): Promise<SetModeResponse> {
    const request = {
      scope: { namespace: '', workload: '', route: '' },
      mode: modeWords.code(mode),
      expectedVersion: '',
      actor: 'demo',
      untilMs: 0,
    };
    return new Promise((resolve, reject) => {
      this.#control.setMode(request, (error, response) =>
        error === null ? resolve(response) : reject(error),
      );
    });
  }

  status(): Promise<GetStatusResponse> {
    return new Promise((resolve, reject) => {
      this.#control.getStatus({}, (error, response) => (error === null ? resolve(response) : reject(error)));
    });
  }

  /** Request ids of all stored events whose verdict is flag or block. */
  async flaggedIds(): Promise<Set<string>> {
    const stream = this.#verdicts.listVerdicts({
      afterId: 0,
      limit: 0,
      newest: false,
      follow: false,
      verdicts: FLAGGED.map((verdict) => verdictWords.code(verdict)),
      workload: '',
      namespace: '',
      requestIds: [],
      sinceMs: 0,
      identity: '',
    });
    const ids = new Set<string>();
    for await (const page of stream as AsyncIterable<ListVerdictsResponse>) {
      for (const record of page.verdicts) ids.add(record.requestId);
    }
    return ids;
  }

  close(): void {
    this.#control.close();
    this.#verdicts.close();
  }
}
