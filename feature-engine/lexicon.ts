// Words that requests of ordinary clients seldom hold and attacks often do: SQL, script, shell, template and look-up injection.
// A hint for models, never a verdict by itself: "select" and "order" are also shop words, and models weigh them with the rest.
// Words are runs of letters (and "_"), compared whole, in lower case. And the headers whose values are no text. Data only: the
// kernels get it at start from kernel/head-memory.ts.

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

export const LEXICON_WORDS: readonly string[] = WORDS;

/** Headers that are part of every request and say nothing of its text: their values are not read. */
export const PLAIN_HEADERS: readonly string[] = [
  'host connection content-length transfer-encoding date authorization x-api-key',
  'traceparent tracestate x-request-id te upgrade keep-alive',
  'if-none-match if-modified-since sec-websocket-key range',
].flatMap((line) => line.split(' '));
