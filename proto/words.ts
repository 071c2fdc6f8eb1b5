// The closed word lists of the domain as numbers of the wire, and back. 0 is always "unspecified", so a missing or
// unknown number never becomes a word by accident: the way back gives null. Called by wire.ts and by what shows states.

import { METHODS, type MethodName } from '../domain/head-view.ts';
import {
  IDENTITY_KINDS,
  type IdentityKind,
  PRINCIPAL_SOURCES,
  type PrincipalSource,
} from '../domain/identity.ts';
import {
  ACTIONS,
  type Action,
  MODE_SOURCES,
  MODES,
  type Mode,
  type ModeSource,
  UNSCORED_CAUSES,
  type UnscoredCause,
  VERDICTS,
  type Verdict,
} from '../domain/verdict.ts';
import * as wire from './gen/picket/v1/common.ts';

/** Both directions of one word list. */
export interface WordMap<Word extends string, Code extends number> {
  /** The wire's number of a word. */
  code(word: Word): Code;
  /** The word of a number; null for 0 and for numbers that this build does not know. */
  word(code: number): Word | null;
}

function wordMap<Word extends string, Code extends number>(
  words: readonly Word[],
  codes: Readonly<Record<string, Code>>,
): WordMap<Word, Code> {
  const byWord = new Map<Word, Code>();
  const byCode: (Word | null)[] = [];
  for (const word of words) {
    const code = codes[word.toUpperCase()];
    if (code === undefined) throw new RangeError(`the wire has no number for ${word}`);
    byWord.set(word, code);
    byCode[code] = word;
  }
  return {
    code: (word) => byWord.get(word) as Code,
    word: (code) => byCode[code] ?? null,
  };
}

export const modeWords = wordMap<Mode, wire.Mode>(MODES, wire.Mode);
export const modeSourceWords = wordMap<ModeSource, wire.ModeSource>(MODE_SOURCES, wire.ModeSource);
export const verdictWords = wordMap<Verdict, wire.Verdict>(VERDICTS, wire.Verdict);
export const actionWords = wordMap<Action, wire.Action>(ACTIONS, wire.Action);
export const unscoredWords = wordMap<UnscoredCause, wire.UnscoredCause>(UNSCORED_CAUSES, wire.UnscoredCause);
export const identityWords = wordMap<IdentityKind, wire.IdentityKind>(IDENTITY_KINDS, wire.IdentityKind);
export const principalWords = wordMap<PrincipalSource, wire.PrincipalSource>(
  PRINCIPAL_SOURCES,
  wire.PrincipalSource,
);
export const methodWords = wordMap<MethodName, wire.Method>(METHODS, wire.Method);
