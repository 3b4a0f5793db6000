import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { SipRequest } from '../../sip/message.js';
import { splitList } from '../../sip/split.js';
import { formatVia, type Via } from '../../sip/via.js';
import type { Source } from '../types.js';

/**
 * Writes where a request really came from into its top Via (RFC 3261 §18.2.1, RFC 3581 §4): `received` when sent-by
 * says otherwise or rport was asked for, and `rport` always, as if each client asked for it, since phones behind a
 * NAT that do not ask are otherwise out of reach.
 */
export function markSource(request: SipRequest, topVia: Via, source: Source): void {
  const { params } = topVia;
  const address = withoutZone(source.address);
  // RFC 3581 §4: with rport, received is there even when it repeats sent-by.
  if (topVia.hasRport || !isSameHost(topVia.host, address)) params.set('received', address);
  else params.delete('received');
  params.set('rport', String(source.port));
  replaceTopVia(request, topVia);
}

/** Puts the changed top Via back in place, leaving others in the same field as they are. */
function replaceTopVia(request: SipRequest, topVia: Via): void {
  const { headers } = request;
  let at = 0;
  while (headers[at]!.key !== 'via') at++;
  const { name, key, value } = headers[at]!;
  const text = formatVia(topVia);
  const isList = value.includes(',');
  headers[at] = { name, key, value: isList ? [text, ...splitList(value).slice(1)].join(', ') : text };
}

/** Whether two hosts are the same address; names are compared as text, without case. */
export function isSameHost(a: string, b: string): boolean {
  if (a === b) return true;
  if (isIPv6(a) && isIPv6(b)) return canonicalIpv6(a) === canonicalIpv6(b);
  return a.toLowerCase() === b.toLowerCase();
}

function canonicalIpv6(address: string): string {
  return ipaddr.IPv6.parse(withoutZone(address)).toNormalizedString();
}

/** A zone (`fe80::1%eth0`) means something on this machine only. */
function withoutZone(address: string): string {
  const percent = address.indexOf('%');
  return percent < 0 ? address : address.slice(0, percent);
}
