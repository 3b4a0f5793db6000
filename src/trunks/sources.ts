import ipaddr from 'ipaddr.js';
import { parseHostPort } from './host-port.js';

/** Addresses that calls of a trunk come from, ready to be compared. */
export interface Source {
  readonly network: ipaddr.IPv4 | ipaddr.IPv6;
  readonly bits: number;
  /** Any port when absent. */
  readonly port?: number;
}

/** Reads `192.0.2.0/24`, `192.0.2.7`, `192.0.2.7:5080`, `2001:db8::/32`, `[2001:db8::1]:5060`; undefined for anything else. */
export function parseSource(text: string): Source | undefined {
  if (text.includes('/')) {
    if (!ipaddr.isValidCIDR(text)) return undefined;
    const source = sourceAt(...ipaddr.parseCIDR(text));
    // A network of everybody would let strangers call at the operator's cost.
    return source.bits === 0 ? undefined : source;
  }
  const isBareIpv6 = text.split(':').length > 2 && !text.startsWith('[');
  const place = isBareIpv6 ? { host: text, port: undefined } : parseHostPort(text);
  if (!place || !isAddress(place.host)) return undefined;
  const network = ipaddr.parse(place.host);
  const bits = network.kind() === 'ipv4' ? 32 : 128;
  return { ...sourceAt(network, bits), ...(place.port !== undefined && { port: place.port }) };
}

/** IPv4 in IPv6 form becomes IPv4, as peers are. */
function sourceAt(network: ipaddr.IPv4 | ipaddr.IPv6, bits: number): Source {
  const isMapped = network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && bits >= 96;
  return isMapped ? { network: network.toIPv4Address(), bits: bits - 96 } : { network, bits };
}

const isAddress = (text: string): boolean =>
  ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);

/** A source without its port and its zone, as CIDR. */
export function networkOf({ network, bits }: Source): string {
  return `${ipaddr.fromByteArray(network.toByteArray())}/${bits}`;
}

/** The address of a peer, ready to be compared; undefined when it is none. */
export function parsePeer(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  // A dual-stack socket names IPv4 peers ::ffff:192.0.2.7.
  return ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
}

/** How narrowly a source names a peer, -1 when it does not: a port says more than any network. */
export function fitOf(source: Source, peer: ipaddr.IPv4 | ipaddr.IPv6, port: number): number {
  if (source.port !== undefined && source.port !== port) return -1;
  if (peer.kind() !== source.network.kind() || !peer.match(source.network, source.bits)) return -1;
  return source.bits + (source.port === undefined ? 0 : 1000);
}
