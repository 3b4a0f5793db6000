import { isIP } from 'node:net';
import { withoutBrackets } from '../../sip/host.js';
import { DEFAULT_PORTS, type Protocol } from '../types.js';
import { ResolveError } from './errors.js';

/** What a URI or a Via says about the next hop. */
export interface HopTarget {
  /** Name or IP literal, IPv6 with or without brackets. */
  readonly host: string;
  readonly port?: number | undefined;
  /** The `transport` parameter as written. */
  readonly transport?: string | undefined;
  /** A sips: URI. */
  readonly secure?: boolean;
}

const SECURED: Readonly<Record<Protocol, Protocol>> = {
  udp: 'tls',
  tcp: 'tls',
  tls: 'tls',
  ws: 'wss',
  wss: 'wss',
};

/** The address of a target that needs no look-up; undefined for a name. */
export function addressOf({ host }: HopTarget): string | undefined {
  const address = withoutBrackets(host);
  return isIP(address) === 0 ? undefined : address;
}

/** The transport that a target asks for, undefined when it leaves the choice. Throws ResolveError `UNKNOWN_TRANSPORT`. */
export function protocolOf({ transport, secure }: HopTarget): Protocol | undefined {
  if (transport === undefined) return undefined;
  const name = transport.toLowerCase();
  if (!isProtocol(name)) throw new ResolveError('UNKNOWN_TRANSPORT', 'the transport is not supported');
  return secure === true ? SECURED[name] : name;
}

/** RFC 3263 §4.1 for a target with neither transport nor records that tell: UDP, or TLS for sips. */
export function defaultProtocol({ secure }: HopTarget): Protocol {
  return secure === true ? 'tls' : 'udp';
}

/** Whether a protocol may carry a request to the target: sips goes over TLS alone (RFC 3263 §4.1). */
export function isSecure(protocol: Protocol): boolean {
  return protocol === 'tls' || protocol === 'wss';
}

function isProtocol(name: string): name is Protocol {
  return Object.hasOwn(DEFAULT_PORTS, name);
}
