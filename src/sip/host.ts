import { isIPv6 } from 'node:net';
import { parseDigits } from './numbers.js';

/** A host and what follows it; the host of an IPv6 reference is kept without its brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

const MAX_PORT = 65_535;
/** hostname or IPv4address (RFC 3261 §25.1); underscores, which occur in practice, are taken too. */
const HOST = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/;

/** A port in decimal; undefined unless 0..65535. */
export function parsePort(text: string): number | undefined {
  const port = parseDigits(text);
  return port !== undefined && port <= MAX_PORT ? port : undefined;
}

/** Whether the text is an IPv6 address without brackets and without a zone. */
function isPlainIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

/** Parses `host`, `host:port`, `[ipv6]` or `[ipv6]:port`, white space around the colon allowed (RFC 3261 §25.1). */
export function parseHostPort(text: string): HostPort | undefined {
  const bracketed = text.startsWith('[');
  const hostEnd = bracketed ? text.indexOf(']') + 1 : text.indexOf(':');
  if (bracketed && hostEnd === 0) return undefined;
  const end = hostEnd < 0 ? text.length : hostEnd;
  const host = bracketed ? text.substring(1, end - 1) : text.substring(0, end).trimEnd();
  if (bracketed ? !isPlainIpv6(host) : !HOST.test(host)) return undefined;
  if (end === text.length) return { host, port: undefined };
  const rest = text.substring(end).trim();
  const port = rest.startsWith(':') ? parsePort(rest.substring(1).trim()) : undefined;
  return port === undefined ? undefined : { host, port };
}

/** A host as it is written in URIs and Via: IPv6 in brackets (RFC 3261 §19.1.1). */
export function formatHost(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** An address parameter (`received`, `maddr`) with its brackets, which some write, taken off (RFC 5118 §4.5). */
export function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
