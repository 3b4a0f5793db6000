import type { SipMessage } from './message.js';
import { type NameAddr, parseNameAddr } from './name-addr.js';
import { parseUri, type SipUri } from './uri.js';

/** One entry of Route, Record-Route, Path or Service-Route (RFC 3261 §20.30, §20.34; RFC 3327, RFC 3608). */
export interface RouteEntry extends NameAddr {
  /** The entry as received: what a route set is made of (RFC 3261 §12.1). */
  readonly text: string;
  readonly sipUri: SipUri;
  /** The URI has `lr`: a loose router (RFC 3261 §16.12.1.1). */
  readonly isLoose: boolean;
}

/** Parses one entry; undefined unless it is a name-addr (in <>) with a sip: or sips: URI. */
export function parseRouteEntry(text: string): RouteEntry | undefined {
  const address = text.includes('<') ? parseNameAddr(text) : undefined;
  const sipUri = address && parseUri(address.uri);
  if (!address || !sipUri || sipUri.scheme === 'tel') return undefined;
  return { ...address, text, sipUri, isLoose: sipUri.params.has('lr') };
}

/** The entries of a route header in order; undefined when any is malformed: a 400. */
export function parseRoutes(
  message: SipMessage,
  key: 'route' | 'record-route' | 'path' | 'service-route',
): RouteEntry[] | undefined {
  const entries: RouteEntry[] = [];
  for (const item of message.list(key)) {
    const entry = parseRouteEntry(item);
    if (!entry) return undefined;
    entries.push(entry);
  }
  return entries;
}
