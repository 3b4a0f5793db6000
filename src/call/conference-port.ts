import type { RoomFacts } from '../routing/types.js';
import type { Call } from './call.js';
import type { LocalParty } from './local-phone.js';

/** The call that a seat belongs to; another one after a transfer. */
export interface SeatLine {
  /** Undefined once that is over. */
  readonly call: Call | undefined;
  /** Who talks on the other side of it, by name or number. */
  readonly party: string;
}

/** What calls ask of conference rooms. Without it no number is one. */
export interface ConferencePort {
  /** Where the sound of rooms comes from, an IP address. */
  readonly address: string;
  /** The room that one of these numbers is, as it is now. Rejects with StoreError when the Store is away and nothing is remembered. */
  room(candidates: readonly string[]): Promise<RoomFacts | undefined>;
  /** A seat for one call. It is taken when the call is put through, and refused then if the room is full or locked by now. */
  seat(room: string, line: SeatLine, trunk: string | undefined): LocalParty;
}
