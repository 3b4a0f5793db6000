import type { Protocol } from './types.js';

/** One listener of the engine. */
export interface HostPort {
  readonly protocol: Protocol;
  /** IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
}

const PROTOCOLS: readonly string[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];

/** Reads an engine's list of listeners, `udp/127.0.0.1:5060,tcp/[::1]:5060`; what cannot be read is left out. */
export function parseHostPorts(list: string | undefined): HostPort[] {
  const result: HostPort[] = [];
  for (const item of (list ?? '').split(',')) {
    const match = /^\s*([a-z]+)\/(\[[^\]]+\]|.+?):(\d+)\s*$/.exec(item);
    if (!match || !PROTOCOLS.includes(match[1]!)) continue;
    result.push({
      protocol: match[1] as Protocol,
      address: match[2]!.replace(/^\[|\]$/g, ''),
      port: Number(match[3]),
    });
  }
  return result;
}

/** True for an IPv6 literal, with or without brackets. */
function isIpv6(address: string): boolean {
  return address.includes(':');
}

/** An address as it stands in a URI: IPv6 in brackets (RFC 3261 §25.1). */
export function uriHost(address: string): string {
  return isIpv6(address) && !address.startsWith('[') ? `[${address}]` : address;
}
