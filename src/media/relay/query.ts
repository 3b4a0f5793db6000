import { CommandError, ERROR } from './error-codes.js';
import type { MediaLeg } from './media-leg.js';
import type { RelaySession } from './relay-session.js';

/** The RTP legs as the asker sees them: `own` faces the party of the first tag. */
interface QueryView {
  readonly own: MediaLeg;
  readonly other: MediaLeg;
  readonly ttlSec: number;
}

/** Counters of Q in the order that RTPProxy gives them unasked; the rest are answered by name. */
const DEFAULT_COUNTERS = ['ttl', 'npkts_ina', 'npkts_ino', 'nrelayed', 'ndropped'];

const COUNTERS: Readonly<Record<string, (view: QueryView) => number | string>> = {
  ttl: (view) => view.ttlSec,
  npkts_ina: (view) => view.own.packetsIn,
  npkts_ino: (view) => view.other.packetsIn,
  nrelayed: (view) => view.own.relayed + view.other.relayed,
  ndropped: (view) => view.own.dropped + view.other.dropped,
  nbytes_ina: (view) => view.own.bytesIn,
  nbytes_ino: (view) => view.other.bytesIn,
  addr_ina: (view) => seenAddress(view.own),
  addr_ino: (view) => seenAddress(view.other),
};

/** Answers Q: figures of the RTP streams alone, `name=value` when verbose. Throws CommandError. */
export function answerQuery(
  session: RelaySession,
  isFromParty: boolean,
  ttlSec: number,
  options: { verbose: boolean; names: readonly string[] },
): string {
  const [zero, one] = session.sides;
  const view: QueryView = {
    own: isFromParty ? one.rtp : zero.rtp,
    other: isFromParty ? zero.rtp : one.rtp,
    ttlSec,
  };
  const names = options.names.length > 0 ? options.names : DEFAULT_COUNTERS;
  return names
    .map((name) => {
      const counter = Object.hasOwn(COUNTERS, name) ? COUNTERS[name] : undefined;
      if (!counter) throw new CommandError(ERROR.QUERY_COUNTER);
      return options.verbose ? `${name}=${counter(view)}` : String(counter(view));
    })
    .join(' ');
}

/** `address:port` of the sender that was learned, `-` before. */
function seenAddress(leg: MediaLeg): string {
  const { latch } = leg;
  if (!latch.isLearned) return '-';
  return latch.address.includes(':') ? `[${latch.address}]:${latch.port}` : `${latch.address}:${latch.port}`;
}

/** Checks modifiers that may only be of the letters in `known`, in either case. Returns those present, lower case. */
export function knownModifiers(modifiers: string, known: string, errorNumber: number): Set<string> {
  const letters = new Set(modifiers.toLowerCase());
  for (const letter of letters) if (!known.includes(letter)) throw new CommandError(errorNumber);
  return letters;
}
