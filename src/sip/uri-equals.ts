import type { SipUri } from './uri.js';

/**
 * Parameters that must be in both URIs or in neither (RFC 3261 §19.1.4). `transport` is among them by the section's own
 * example: sip:bob@biloxi.com and sip:bob@biloxi.com;transport=udp can resolve to different transports.
 */
const NEVER_IMPLIED = ['user', 'ttl', 'method', 'maddr', 'transport'];

const sameCase = (a: string, b: string): boolean => a === b || a.toLowerCase() === b.toLowerCase();

function sameSipParams(a: SipUri['params'], b: SipUri['params']): boolean {
  for (const name of NEVER_IMPLIED) if (a.has(name) !== b.has(name)) return false;
  for (const [name, value] of a) {
    const other = b.get(name);
    if (other !== undefined && !sameCase(value, other)) return false;
  }
  return true;
}

/** Header components are never ignored; their order does not matter (RFC 3261 §19.1.4). */
function sameHeaders(a: SipUri['headers'], b: SipUri['headers']): boolean {
  if (a.length !== b.length) return false;
  const sorted = (headers: SipUri['headers']): string[] =>
    headers.map(({ name, value }) => `${name.toLowerCase()}=${value}`).sort();
  const others = sorted(b);
  return sorted(a).every((header, i) => header === others[i]);
}

/** Numbers without visual separators, parameters in any order, all without regard to case (RFC 3966 §4). */
function sameTel(a: SipUri, b: SipUri): boolean {
  const digits = (uri: SipUri): string => (uri.user ?? '').replace(/[-.()]/g, '').toLowerCase();
  if (digits(a) !== digits(b) || a.params.size !== b.params.size) return false;
  for (const [name, value] of a.params) {
    const other = b.params.get(name);
    if (other === undefined || !sameCase(value, other)) return false;
  }
  return true;
}

/** Whether two URIs are equal by RFC 3261 §19.1.4 (tel: by RFC 3966 §4). Not transitive, by the RFC's own rules. */
export function urisEqual(a: SipUri, b: SipUri): boolean {
  if (a.scheme !== b.scheme) return false;
  if (a.scheme === 'tel') return sameTel(a, b);
  return (
    a.user === b.user &&
    a.password === b.password &&
    sameCase(a.host, b.host) &&
    a.port === b.port &&
    sameSipParams(a.params, b.params) &&
    sameHeaders(a.headers, b.headers)
  );
}
