import { type Contact, parseContact } from '../sip/contact.js';
import { canonicalKey } from '../sip/header-names.js';
import { type NameAddr, parseNameAddr } from '../sip/name-addr.js';
import { parseDeltaSeconds } from '../sip/numbers.js';
import { splitList } from '../sip/split.js';
import { parseUri } from '../sip/uri.js';
import { BadRequestError } from './errors.js';
import type { SrfMessage, SrfMeta, SrfRequest } from './srf-types.js';
import type { Protocol } from './types.js';

/** The peer that a request came from, as seen on the socket. IPv6 without brackets. */
export interface PeerAddress {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
}

/** From, To or another name-addr header of a request. */
export interface Party extends NameAddr {
  readonly tag: string | undefined;
}

const FOLD = /\r?\n[ \t]+/g;

/**
 * A header's value, several of one name joined with `, ` by srf; undefined when absent. Compact names are known, folded
 * lines are joined (RFC 3261 §7.3.1, §7.3.3).
 */
export function header(message: SrfMessage, name: string): string | undefined {
  const key = canonicalKey(name);
  const value = message.headers[key] ?? headerBySearch(message, key);
  return value?.includes('\n') ? value.replace(FOLD, ' ') : value;
}

/** srf keeps some names as they were spelled and knows only a part of the compact forms. */
function headerBySearch(message: SrfMessage, key: string): string | undefined {
  for (const name in message.headers) if (canonicalKey(name) === key) return message.headers[name];
  return undefined;
}

/** The elements of a comma-separated header (RFC 3261 §7.3.1). */
export function headerList(message: SrfMessage, name: string): string[] {
  const value = header(message, name);
  return value === undefined ? [] : splitList(value);
}

/** From or To of a message. Throws BadRequestError when missing or malformed. */
export function party(message: SrfMessage, name: 'from' | 'to'): Party {
  const parsed = parseNameAddr(header(message, name) ?? '');
  if (!parsed) throw new BadRequestError(`Bad ${name === 'from' ? 'From' : 'To'} Header`);
  return { ...parsed, tag: parsed.params.get('tag') || undefined };
}

/** The Contact header's values; `*` when it stands alone. Throws BadRequestError when one is malformed (RFC 3261 §20.10). */
export function contacts(message: SrfMessage): readonly Contact[] | '*' {
  const values = headerList(message, 'contact');
  if (values.length === 1 && values[0] === '*') return '*';
  return values.map((value) => {
    const contact = parseContact(value);
    if (!contact) throw new BadRequestError('Bad Contact Header');
    return contact;
  });
}

/** A header that holds seconds or a count, 0..2^32-1; undefined when absent, NaN when malformed (RFC 3261 §25.1). */
export function headerNumber(message: SrfMessage, name: string): number | undefined {
  const value = header(message, name);
  return value === undefined ? undefined : (parseDeltaSeconds(value.trim()) ?? Number.NaN);
}

/** CSeq's number (RFC 3261 §8.1.1.5). Throws BadRequestError when malformed. */
export function cseqNumber(message: SrfMessage): number {
  const match = /^(\d{1,10})\s+\S+$/.exec(header(message, 'cseq') ?? '');
  if (!match || Number(match[1]) >= 2 ** 31) throw new BadRequestError('Bad CSeq Header');
  return Number(match[1]);
}

/** Where a request came from. The wire shows WebSocket as tcp or tls; the topmost Via tells (RFC 7118 §5.2.1). */
export function peerOf(req: SrfMessage & SrfMeta): PeerAddress {
  const protocol = req.protocol.toLowerCase();
  const via = /^\s*SIP\s*\/\s*2\.0\s*\/\s*(WSS?)\b/i.exec(header(req, 'via') ?? '');
  return {
    protocol: via && protocol !== 'udp' ? (via[1]!.toLowerCase() as Protocol) : asProtocol(protocol),
    address: req.source_address,
    port: req.source_port,
  };
}

function asProtocol(text: string): Protocol {
  return text === 'tcp' || text === 'tls' || text === 'ws' || text === 'wss' ? text : 'udp';
}

/** True when the request has a To tag: it belongs to a dialog (RFC 3261 §12.2). */
export function hasToTag(req: SrfRequest): boolean {
  return party(req, 'to').tag !== undefined;
}

/** The user part of a sip: URI without its parameters, or the digits of a tel: URI; `''` when there is none. */
export function numberOf(uriText: string): string {
  const uri = parseUri(uriText);
  const user = uri?.user ?? '';
  if (uri?.scheme === 'tel') return user.replace(/[-.()]/g, '');
  // RFC 3261 §19.1.6: a telephone-subscriber in the user part carries its parameters with it.
  return user.split(';', 1)[0]!;
}
