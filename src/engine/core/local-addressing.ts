import { formatHost, parseHostPort } from '../../sip/host.js';
import { formatNameAddr, parseNameAddr } from '../../sip/name-addr.js';
import type { Outlet, SentBy } from '../transport/types.js';
import type { Hop, Protocol, Source } from '../types.js';

/** Our end of the way a message takes: what its Contact should say. */
export interface LocalEnd {
  readonly sentBy: SentBy;
  readonly protocol: Protocol;
}

/** What applications write most: in <>, with a user part, without display name, port or parameters of the URI. */
const PLAIN_LOCALHOST = /^<(sips?:[A-Za-z0-9+._-]+@)localhost>((?:;tag=[A-Za-z0-9._-]+)?)$/;
const DOTTED_IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Our end of the way back to where a message came from. Throws TransportError when its listener is gone. */
export function localEndFor(ctx: { outlet(hop: Hop): Outlet }, source: Source): LocalEnd {
  const { protocol, address, port, flow } = source;
  const hop = flow === undefined ? { protocol, address, port } : { protocol, address, port, flow };
  return { protocol, sentBy: ctx.outlet(hop).sentBy };
}

/** `host:port` as written in a URI. */
export function hostPortText(sentBy: SentBy): string {
  return `${formatHost(sentBy.host)}:${sentBy.port}`;
}

/** The URI parameter of a protocol; none for UDP. RFC 7118 §5.2.2: `ws` for secure WebSocket as well. */
export function transportParam(protocol: Protocol): string {
  return protocol === 'udp' ? '' : `;transport=${protocol === 'wss' ? 'ws' : protocol}`;
}

/** The Contact the engine writes when an application gave none; `secure` for a sips: dialog (RFC 3261 §12.1.1). */
export function defaultContact(local: LocalEnd, secure = false): string {
  return `<${secure ? 'sips' : 'sip'}:${hostPortText(local.sentBy)}${transportParam(local.protocol)}>`;
}

/**
 * Applications do not know our address and write `localhost` for it. `sip:user@localhost` becomes
 * `<sip:user@host:port>`; other values come back as they are. With `userless` also `sip:localhost`.
 */
export function fillLocalhost(value: string, local: LocalEnd, userless = false): string {
  if (!value.includes('@localhost') && !(userless && value.includes('localhost'))) return value;
  const plain = PLAIN_LOCALHOST.exec(value);
  if (plain) return `<${plain[1]}${hostPortText(local.sentBy)}>${plain[2]}`;
  const address = parseNameAddr(value);
  if (!address) return value;
  const pattern = userless
    ? /^(sips?:(?:[^@]*@)?)localhost(?::\d+)?(?=[;?]|$)/i
    : /^(sips?:[^@]*@)localhost(?::\d+)?(?=[;?]|$)/i;
  const uri = address.uri.replace(pattern, (_, start: string) => start + hostPortText(local.sentBy));
  return uri === address.uri ? value : formatNameAddr({ ...address, uri });
}

/**
 * The Contact of a request as peers must see it: `localhost` filled in, and an IPv4 address or port that is not the one
 * the request leaves from replaced by it. Host names are left alone.
 */
export function toReachableContact(value: string, local: LocalEnd): string {
  const filled = fillLocalhost(value, local, true);
  if (filled !== value) return filled;
  const address = parseNameAddr(value);
  const parts = address && /^(sips?:(?:[^@]*@)?)([^;?]+)(.*)$/i.exec(address.uri);
  const hostPort = parts && parseHostPort(parts[2]!);
  if (!address || !parts || !hostPort || !DOTTED_IPV4.test(hostPort.host)) return value;
  const { sentBy, protocol } = local;
  if (hostPort.host === sentBy.host && (hostPort.port ?? 5060) === sentBy.port) return value;
  const rest = parts[3]!.replace(/;transport=[^;?]*/i, '');
  const question = rest.indexOf('?');
  const params = question < 0 ? rest : rest.slice(0, question);
  const headers = question < 0 ? '' : rest.slice(question);
  const uri = `${parts[1]}${hostPortText(sentBy)}${params}${transportParam(protocol) || ';transport=udp'}${headers}`;
  return formatNameAddr({ ...address, uri });
}
