// Words that requests of ordinary clients seldom hold and attacks often do: SQL, script, shell, template and look-up injection.
// A hint for models, never a verdict by itself: "select" and "order" are also shop words, and models weigh them with the rest.
// Words are runs of letters (and "_"), compared in lower case by hash. Called by lexical.ts.

const WORDS = [
  'select union insert update delete drop truncate having waitfor benchmark sleep pg_sleep',
  'information_schema concat substring ascii char chr cast convert exec execute xp_cmdshell',
  'sysobjects outfile dumpfile load_file extractvalue updatexml script iframe onerror onload onclick',
  'onmouseover onfocus javascript vbscript alert prompt confirm eval document window innerhtml',
  'fromcharcode svg expression etc passwd shadow hosts proc self environ htaccess htpasswd wp_config',
  'boot ini win system windows cmd powershell bash curl wget nslookup whoami uname chmod netcat ping',
  'jndi ldap ldaps rmi dns __class__ __mro__ __subclasses__ __globals__ __builtins__ popen subprocess',
  'import os runtime getruntime processbuilder php filter phpinfo base64_decode assert include',
  'require file gopher expect data zip phar',
].flatMap((line) => line.split(' '));

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const SLOTS = 1024;

/** FNV-1a, one byte at a time: start with `wordBasis`. */
export const wordBasis = FNV_BASIS | 0;

export function wordStep(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, FNV_PRIME);
}

/** Open addressing over hashes; 0 = empty. */
const TABLE = new Int32Array(SLOTS);
for (const word of WORDS) {
  let hash = wordBasis;
  for (let i = 0; i < word.length; i++) hash = wordStep(hash, word.charCodeAt(i));
  let slot = hash & (SLOTS - 1);
  while (TABLE[slot] !== 0 && TABLE[slot] !== hash) slot = (slot + 1) & (SLOTS - 1);
  TABLE[slot] = hash;
}

/** Is the hash that of a word of the lexicon? Another word has the same hash once in 2^32 / 100. */
export function isKeyword(hash: number): boolean {
  let slot = hash & (SLOTS - 1);
  while (TABLE[slot] !== 0) {
    if (TABLE[slot] === hash) return true;
    slot = (slot + 1) & (SLOTS - 1);
  }
  return false;
}

export const LEXICON_WORDS: readonly string[] = WORDS;
