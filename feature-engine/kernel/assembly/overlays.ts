// What other replicas counted of an identity, added to its own row for reading: a row of the same layout that the control thread
// puts into this memory (proxy/state/overlay-rows.ts) and names beside the identity's slot. Own rows stay as they are; a view
// that is too old, or of another identity, is not used. Called by observe.ts.

import * as L from '../row-words';
import { nowMs } from './call';
import { rollRow } from './rows';
import { identities, sameKey, slotOf } from './table';

const ROW_BYTES: usize = L.IDENTITY_ROW_WORDS << 2;
const WINDOWS_AT: usize = L.WINDOWS << 2;
const WINDOW_BYTES: usize = L.WINDOW_WORDS << 2;
const PACKED_AT: usize = L.PACKED << 2;
const BITS_AT: usize = L.ROUTES_5M << 2;
const COUNT_MAX: u32 = 0xffffffff;

/** u16 for each slot of the identities: 0 for none, else the number of its view plus 1. 0: windows are not shared. */
let slots: usize = 0;
let views: usize = 0;
/** The sums at hand: of the credential, of the principal. */
const sums: usize = memory.data(1216, 64);

/** @param slotsAt zeroed u16 for each identity's slot, 0 turns views off. @param viewsAt rows of IDENTITY_ROW_WORDS. */
export function configureOverlays(slotsAt: usize, viewsAt: usize): void {
  slots = slotsAt;
  views = viewsAt;
}

/** Six u32 that stop at their largest value, then twelve packed pairs that do. */
// @ts-ignore: decorator
@inline
function addWindow(at: usize, from: usize): void {
  for (let i: usize = 0; i < PACKED_AT; i += 4) {
    const own = load<u32>(from + i);
    const sum = load<u32>(at + i) + own;
    store<u32>(at + i, sum < own ? COUNT_MAX : sum);
  }
  for (let i: usize = PACKED_AT; i < WINDOW_BYTES; i += 16)
    v128.store(at + i, i16x8.add_sat_u(v128.load(at + i), v128.load(from + i)));
}

/**
 * The row to read windows from: the row itself, or its sum with what others counted. Key, total, times and gaps stay the row's.
 * @param place 0 or 1: two sums can be at hand. The row was rolled to the moment.
 */
export function withOthers(row: usize, place: usize): usize {
  if (slots == 0) return row;
  const number = <usize>load<u16>(slots + (<usize>slotOf(identities, row) << 1));
  if (number == 0) return row;
  const view = views + (number - 1) * ROW_BYTES;
  if (!(load<f64>(view, L.VIEW_UNTIL << 2) >= nowMs()) || !sameKey(view, row)) return row;
  const sum = sums + place * ROW_BYTES;
  memory.copy(sum, view, ROW_BYTES);
  rollRow(sum, true);
  memory.copy(sum, row, WINDOWS_AT);
  for (let at = WINDOWS_AT; at < BITS_AT; at += WINDOW_BYTES) addWindow(sum + at, row + at);
  for (let at = BITS_AT; at < ROW_BYTES; at += 8)
    store<u64>(sum + at, load<u64>(sum + at) | load<u64>(row + at));
  return sum;
}
