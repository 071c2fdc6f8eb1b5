// Keeps address databases open: reads and checks the files at start, looks at their dates now and then, and brings in a changed
// one. A damaged new file is reported and the old one stays; requests never wait. Called by whoever owns an AddressBook.

import { readFileSync, type Stats, statSync } from 'node:fs';
import { PicketError } from '../domain/errors.ts';
import type { AddressBook } from './address-facts.ts';
import type { CidrList } from './address-kind.ts';
import { Mmdb } from './mmdb.ts';

export interface GeoFilesOptions {
  readonly book: AddressBook;
  /** Path of a city or country database. */
  readonly geo?: string | undefined;
  /** Path of an ASN or anonymous-IP database. */
  readonly asn?: string | undefined;
  readonly datacenters?: CidrList | undefined;
  /** Told of a changed file that cannot be used; the old one stays. */
  readonly onProblem?: (problem: PicketError) => void;
}

interface OpenFile {
  readonly path: string;
  database: Mmdb;
  stamp: string;
}

export class GeoFiles {
  readonly #options: GeoFilesOptions;
  readonly #geo: OpenFile | undefined;
  readonly #asn: OpenFile | undefined;

  /** @throws PicketError DATA_INVALID if a file cannot be read or is damaged: at start that is the operator's mistake. */
  constructor(options: GeoFilesOptions) {
    this.#options = options;
    this.#geo = options.geo === undefined ? undefined : open(options.geo);
    this.#asn = options.asn === undefined ? undefined : open(options.asn);
    this.#use();
  }

  /** Looks whether the files have changed; true if one was brought in. Call it every few seconds. */
  refresh(): boolean {
    let changed = false;
    for (const file of [this.#geo, this.#asn]) {
      if (file === undefined) continue;
      const stamp = stampOf(file.path);
      // A file that is away is being replaced: look again next time.
      if (stamp === file.stamp || stamp === '') continue;
      file.stamp = stamp;
      try {
        file.database = open(file.path).database;
        changed = true;
      } catch (thrown) {
        this.#options.onProblem?.(PicketError.from(thrown, 'DATA_INVALID'));
      }
    }
    if (changed) this.#use();
    return changed;
  }

  #use(): void {
    const { book, datacenters } = this.#options;
    book.use({ geo: this.#geo?.database, asn: this.#asn?.database, datacenters });
  }
}

function open(path: string): OpenFile {
  const stamp = stampOf(path);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new PicketError('DATA_INVALID', `${path} cannot be read`, { cause, hint: 'check the path' });
  }
  return { path, database: Mmdb.parse(bytes, path), stamp };
}

/** Changes when the file does; '' if it is away. */
function stampOf(path: string): string {
  const stats: Stats | undefined = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}
