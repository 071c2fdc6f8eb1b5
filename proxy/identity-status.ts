// What /status says of identities: the key's name, who named principals, what became of tokens. Field names are part of the
// contract. Called by status.ts.

import { PRINCIPAL_SOURCES } from '../domain/identity.ts';
import { principalPlace, type SingleName } from './counters.ts';
import type { IdentityReport } from './principal/identity-service.ts';
import type { TokenReport } from './principal/principals.ts';

export interface IdentityStatus {
  readonly key_id: string;
  /** ISO 8601, while the identity key is being rotated. */
  readonly former_key_until: string | null;
  /** Requests by who named their principal. */
  readonly principals_total: Readonly<Record<string, number>>;
  /** Null without --jwks. */
  readonly tokens: (TokenReport & NewTokens) | null;
}

/** What the data threads did with tokens that they had not seen before. */
interface NewTokens {
  readonly submitted_total: number;
  readonly dropped_total: number;
  readonly too_long_total: number;
}

export interface CountSource {
  single(name: SingleName): number;
  place(place: number): number;
}

export function identityStatus(report: IdentityReport, counts: CountSource): IdentityStatus {
  const { keyId, formerKeyUntil, tokens } = report;
  const sent = {
    submitted_total: counts.single('tokensSubmitted'),
    dropped_total: counts.single('tokensDropped'),
    too_long_total: counts.single('tokensTooLong'),
  };
  return {
    key_id: keyId,
    former_key_until: formerKeyUntil,
    principals_total: Object.fromEntries(
      PRINCIPAL_SOURCES.map((source, i) => [source, counts.place(principalPlace(i))]),
    ),
    tokens: tokens === null ? null : { ...sent, ...tokens },
  };
}
