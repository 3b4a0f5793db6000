import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { isNullAddress } from '../sdp/offer-answer.js';
import type { MediaStream } from '../sdp/session-description.js';

/** Where a relay shall send a party's stream, and where else its packets may come from. */
export interface ExpectedParty {
  readonly address: string;
  readonly port: number;
  readonly alsoExpected?: string;
}

/** Networks that a party elsewhere cannot be reached in. RFC 1918, RFC 6598, RFC 3927, RFC 4193. */
const LOCAL_RANGES: ReadonlySet<string> = new Set([
  'private',
  'carrierGradeNat',
  'linkLocal',
  'loopback',
  'uniqueLocal',
]);

/** Where no phone can be: a description that names one of these would have the relay send to everybody. */
const NO_PARTY: ReadonlySet<string> = new Set(['multicast', 'broadcast']);

/**
 * Chooses the address that a relay is told for a stream (docs/adr/0005-media-latching.md). It is the one in the
 * description, unless that cannot be reached from here: a name, a group, or a local address of somebody whose signalling comes
 * from a public one, or the loopback address of another machine. Then it is where the signalling comes from. The signalling's address is expected as well.
 */
export function expectedParty(stream: MediaStream, signallingAddress: string): ExpectedParty {
  const signalling = plainAddress(signallingAddress);
  const described = stream.address ?? '0.0.0.0';
  const isHold = isNullAddress(described);
  if (signalling === undefined)
    return { address: isIP(described) ? described : '0.0.0.0', port: stream.port };
  if (!isHold && !isReachable(described, signalling)) return { address: signalling, port: stream.port };
  const isSame = described === signalling;
  return { address: described, port: stream.port, ...(!isSame && { alsoExpected: signalling }) };
}

function isReachable(described: string, signalling: string): boolean {
  if (isIP(described) === 0) return false;
  const range = ipaddr.parse(described).range();
  const from = ipaddr.parse(signalling).range();
  if (NO_PARTY.has(range)) return false;
  if (range === 'loopback') return from === 'loopback';
  return !LOCAL_RANGES.has(range) || LOCAL_RANGES.has(from);
}

/** An IP address without brackets, and IPv4 as IPv4 where a dual-stack socket names it `::ffff:…`. */
function plainAddress(text: string): string | undefined {
  const bare = text.replace(/^\[|\]$/g, '').replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(bare) ? bare : undefined;
}
