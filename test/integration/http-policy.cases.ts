// The mode truth table as data: policy, failure, what the client gets and what the event says. Run by http-policy.test.ts.

import { PicketError } from '../../domain/errors.ts';
import type { PolicyDocument } from '../../domain/policy.ts';
import { ALLOW_ALL, BLOCK_ALL, type PlaneSettings } from '../support/data-planes.ts';

const trap = {
  beforeScore: () => {
    throw new PicketError('CORE_TRAP', 'a trap made by the test');
  },
};

export interface PolicyRow {
  readonly name: string;
  readonly policy: PolicyDocument;
  readonly more?: Partial<PlaneSettings>;
  /** Null: the origin answers. */
  readonly refused: { status: number; reason: string } | null;
  readonly event: Record<string, unknown>;
}

export const monitor = { mode: 'monitor', ...BLOCK_ALL } as const;
export const block = { mode: 'block', ...BLOCK_ALL } as const;
const closed = { trap: 'closed', no_bundle: 'closed' } as const;
const blocked = { status: 403, reason: 'policy.blocked' };

export const POLICY_ROWS: readonly PolicyRow[] = [
  {
    name: 'monitor, allow',
    policy: { fleet: { mode: 'monitor', ...ALLOW_ALL } },
    refused: null,
    event: { verdict: 'allow', action: 'forward', mode: 'monitor' },
  },
  {
    name: 'monitor, flag',
    policy: { fleet: { mode: 'monitor', flagAt: 0, blockAt: 1 } },
    refused: null,
    event: { verdict: 'flag', action: 'forward' },
  },
  {
    name: 'monitor, block',
    policy: { fleet: monitor },
    refused: null,
    event: { verdict: 'block', action: 'forward', reason: 'score.block' },
  },
  {
    name: 'monitor, block, throttle',
    policy: { fleet: { ...monitor, action: 'throttle' } },
    refused: null,
    event: { verdict: 'block', action: 'forward' },
  },
  {
    name: 'monitor, block, close',
    policy: { fleet: { ...monitor, action: 'close' } },
    refused: null,
    event: { verdict: 'block', action: 'forward' },
  },
  {
    name: 'monitor, trap, closed',
    policy: { fleet: { ...monitor, failMode: closed } },
    more: { faults: trap },
    refused: null,
    event: { verdict: 'allow', unscored: 'trap', reason: 'uninspected.trap' },
  },
  {
    name: 'monitor, no bundle, closed',
    policy: { fleet: { ...monitor, failMode: closed } },
    more: { bundle: null },
    refused: null,
    event: { verdict: 'allow', unscored: 'no_bundle' },
  },
  {
    name: 'block, allow',
    policy: { fleet: { mode: 'block', ...ALLOW_ALL } },
    refused: null,
    event: { verdict: 'allow', action: 'forward', mode: 'block' },
  },
  {
    name: 'block, flag',
    policy: { fleet: { mode: 'block', flagAt: 0, blockAt: 1 } },
    refused: null,
    event: { verdict: 'flag', action: 'forward' },
  },
  {
    name: 'block, block',
    policy: { fleet: block },
    refused: blocked,
    event: { verdict: 'block', action: 'forbid', modeSource: 'fleet' },
  },
  {
    name: 'block, block, throttle',
    policy: { fleet: { ...block, action: 'throttle', retryAfterSec: 7 } },
    refused: { status: 429, reason: 'policy.blocked' },
    event: { verdict: 'block', action: 'throttle' },
  },
  {
    name: 'block, outside the ramp',
    policy: { fleet: { ...block, rampPercent: 0 } },
    refused: null,
    event: { verdict: 'flag', reason: 'score.block_outside_ramp' },
  },
  {
    name: 'block, trap, open',
    policy: { fleet: block },
    more: { faults: trap },
    refused: null,
    event: { verdict: 'allow', reason: 'uninspected.trap' },
  },
  {
    name: 'block, trap, closed',
    policy: { fleet: { ...block, failMode: closed } },
    more: { faults: trap },
    refused: { status: 503, reason: 'fail_closed.trap' },
    event: { verdict: 'block', action: 'fail_closed' },
  },
  {
    name: 'block, no bundle, closed',
    policy: { fleet: { ...block, failMode: closed } },
    more: { bundle: null },
    refused: { status: 503, reason: 'fail_closed.no_bundle' },
    event: { verdict: 'block', reason: 'fail_closed.no_bundle' },
  },
  {
    name: 'block, exempt address',
    policy: { fleet: block, exemptions: [{ id: 'e', reason: 'r', owner: 'o', cidr: '127.0.0.0/8' }] },
    refused: null,
    event: { verdict: 'allow', reason: 'exempt.address' },
  },
  {
    name: 'block, exempt route',
    policy: { fleet: block, exemptions: [{ id: 'e', reason: 'r', owner: 'o', route: 'GET /orders/{id}' }] },
    refused: null,
    event: { verdict: 'allow', reason: 'exempt.route' },
  },
  {
    name: 'block, exemption over',
    policy: {
      fleet: block,
      exemptions: [
        { id: 'e', reason: 'r', owner: 'o', cidr: '127.0.0.0/8', expires: '2020-01-01T00:00:00Z' },
      ],
    },
    refused: blocked,
    event: { verdict: 'block' },
  },
  {
    name: 'monitor, one route in block',
    policy: {
      fleet: monitor,
      workloads: { orders: { routes: [{ route: 'GET /orders/{id}', mode: 'block' }] } },
    },
    refused: blocked,
    event: { mode: 'block', modeSource: 'route', route: '/orders/{id}' },
  },
];
