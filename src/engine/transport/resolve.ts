import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { withDeadline } from '../../platform/deadline.js';
import { AppError, errorMessage } from '../../platform/errors.js';
import type { Hop, Protocol } from '../types.js';
import { ResolveError } from './errors.js';

/** Look-ups under way at once; they share a few threads with the file system. */
const MAX_PENDING_LOOKUPS = 64;
const LOOKUP_TIMEOUT_MS = 5_000;
/** Addresses of one name that are tried. */
const MAX_ADDRESSES = 8;

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

const DEFAULT_PORTS: Readonly<Record<Protocol, number>> = {
  udp: 5060,
  tcp: 5060,
  tls: 5061,
  ws: 80,
  wss: 443,
};
const SECURED: Readonly<Record<Protocol, Protocol>> = {
  udp: 'tls',
  tcp: 'tls',
  tls: 'tls',
  ws: 'wss',
  wss: 'wss',
};

/** Finds the addresses of next hops (RFC 3263 without NAPTR and SRV), best first. */
export class HopResolver {
  private readonly pending = new Map<string, Promise<readonly string[]>>();

  constructor(
    private readonly lookupAll: (host: string) => Promise<readonly { address: string }[]> = (host) =>
      lookup(host, { all: true, verbatim: true }),
  ) {}

  /** The hop of an IP literal, without waiting; undefined for a name. Throws ResolveError `UNKNOWN_TRANSPORT`. */
  literal(target: HopTarget): Hop | undefined {
    const address = withoutBrackets(target.host);
    return isIP(address) === 0 ? undefined : toHop(target, address);
  }

  /** At least one hop. Rejects with ResolveError. */
  async resolve(target: HopTarget): Promise<Hop[]> {
    const literal = this.literal(target);
    if (literal) return [literal];
    toProtocol(target);
    const addresses = await this.lookup(target.host.toLowerCase());
    return addresses.slice(0, MAX_ADDRESSES).map((address) => toHop(target, address));
  }

  /** Requests for one name share a look-up. */
  private lookup(host: string): Promise<readonly string[]> {
    const pending = this.pending.get(host);
    if (pending) return pending;
    if (this.pending.size >= MAX_PENDING_LOOKUPS)
      return Promise.reject(new ResolveError('RESOLVER_BUSY', 'too many look-ups under way'));
    const started = this.ask(host).finally(() => this.pending.delete(host));
    this.pending.set(host, started);
    return started;
  }

  private async ask(host: string): Promise<readonly string[]> {
    try {
      const found = await withDeadline(this.lookupAll(host), LOOKUP_TIMEOUT_MS, `look-up of ${host}`);
      if (found.length > 0) return found.map(({ address }) => address);
    } catch (error) {
      const isTimeout = error instanceof AppError && error.code === 'TIMEOUT';
      throw new ResolveError(isTimeout ? 'RESOLVE_TIMEOUT' : 'HOST_NOT_FOUND', errorMessage(error), error);
    }
    throw new ResolveError('HOST_NOT_FOUND', `${host} has no address`);
  }
}

function toHop(target: HopTarget, address: string): Hop {
  const protocol = toProtocol(target);
  return { protocol, address, port: target.port ?? DEFAULT_PORTS[protocol] };
}

/** RFC 3263 §4.1 for a target without NAPTR: the transport asked for, else UDP, or TLS for sips. */
function toProtocol(target: HopTarget): Protocol {
  const name = target.transport?.toLowerCase() ?? 'udp';
  if (!isProtocol(name)) throw new ResolveError('UNKNOWN_TRANSPORT', 'the transport is not supported');
  return target.secure === true ? SECURED[name] : name;
}

function isProtocol(name: string): name is Protocol {
  return Object.hasOwn(DEFAULT_PORTS, name);
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
