import { isIP } from 'node:net';
import { formatHost } from '../sip/host.js';
import { parseUri } from '../sip/uri.js';
import { isWildcard } from './transport/select-listener.js';
import type { BoundListener } from './transport/types.js';

/** 2: loopback, 1: another address of this machine, 0: elsewhere. */
export type Nearness = 0 | 1 | 2;

/** False for an IPv4 address on a listener of IPv6 and the reverse: nobody could use it there. */
export function isUsableOver(advertised: string, listenerAddress: string): boolean {
  const family = isIP(advertised);
  return family === 0 || family === isIP(listenerAddress);
}

/** What peers are told; see Advertiser. */
export interface AdvertisedAddresses {
  readonly addresses: readonly string[];
  forAll(listener: BoundListener): string | undefined;
}

/** The addresses this engine is known by: those it is bound to, those of the machine for a wildcard, the advertised ones. */
export class OwnAddresses {
  private readonly hostPorts = new Set<string>();
  private readonly machine: ReadonlySet<string>;

  constructor(
    private readonly listeners: readonly BoundListener[],
    machineAddresses: readonly string[],
    private readonly advertised: AdvertisedAddresses,
  ) {
    this.machine = new Set([...machineAddresses, ...advertised.addresses]);
    for (const { address, port } of listeners) {
      const hosts = isWildcard(address) ? [...machineAddresses, '127.0.0.1', '::1'] : [address];
      if (hosts.includes('127.0.0.1') || hosts.includes('::1')) hosts.push('localhost');
      hosts.push(...advertised.addresses.filter((other) => isUsableOver(other, address)));
      for (const host of hosts) this.hostPorts.add(`${host} ${port}`);
    }
  }

  /** True when the URI's host and port are ours: a request sent there would come back. */
  isOwnUri(text: string): boolean {
    const uri = parseUri(text);
    if (!uri) return false;
    const isTls = uri.scheme === 'sips' || uri.params.get('transport')?.toLowerCase() === 'tls';
    const port = uri.port ?? (isTls ? 5061 : 5060);
    return this.hostPorts.has(`${uri.host.toLowerCase()} ${port}`);
  }

  /** How close an address is to us. */
  nearness(address: string): Nearness {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    if (plain === '::1' || /^127(?:\.\d+){3}$/.test(plain)) return 2;
    return this.machine.has(plain) ? 1 : 0;
  }

  /** Comma lists of `proto/host:port`: as peers see the listeners, and as they are bound. */
  hostports(): { external: string; local: string } {
    const list = (host: (listener: BoundListener) => string): string =>
      this.listeners
        .map((listener) => `${listener.protocol}/${formatHost(host(listener))}:${listener.port}`)
        .join(',');
    return {
      external: list((listener) => this.advertised.forAll(listener) ?? listener.address),
      local: list(({ address }) => address),
    };
  }
}
