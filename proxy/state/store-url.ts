// Reads the value of --shared-windows: redis:// or rediss://, a host, with user, password, port and database as one likes.
// Pure; shown without its secrets. Called by sidecar-options.ts and by what shows it.

/** What is wrong with it, in words; null if it is good. */
export function storeUrlProblem(text: string): string | null {
  const expected = 'redis://[USER:PASSWORD@]HOST[:PORT][/DB] or rediss://…';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return expected;
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') return expected;
  if (url.hostname === '' || url.search !== '' || url.hash !== '') return expected;
  return /^\/?$|^\/\d{1,5}$/.test(url.pathname) ? null : 'a number of a database behind the /';
}

/** The address without user and password, as it may be shown. */
export function shownUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}
