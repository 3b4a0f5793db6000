import { isIPv6 } from 'node:net';
import { DEFAULT_PORTS, type Hop, type Protocol } from '../types.js';
import type { DnsCache } from './dns-cache.js';
import { type SrvRecord, toDnsName } from './dns-message.js';
import { DnsError, ResolveError } from './errors.js';
import type { ResolveLimits } from './limits.js';
import { guessedServices, offeredServices, type Service, serviceOf } from './services.js';
import { orderServers } from './srv-order.js';
import type { SystemLookup } from './system-lookup.js';
import { addressOf, defaultProtocol, type HopTarget, protocolOf } from './target.js';

export type Family = 4 | 6;

export interface HopResolverOptions {
  readonly dns: Pick<DnsCache, 'lookup'>;
  readonly system: Pick<SystemLookup, 'addresses'>;
  readonly limits: ResolveLimits;
  /** Address families that we can send over with a protocol, the preferred one first; none when we do not speak it. */
  readonly families: (protocol: Protocol) => readonly Family[];
  /** 0 up to but not including 1. */
  readonly random?: () => number;
}

/** Servers of one transport, in order; undefined when no record says which. */
type Servers = readonly SrvRecord[] | undefined;

/** RFC 6761 §6.3, §6.4, and names that only this machine or its search domains can know. */
const LOCAL_NAME = /^[^.]+$|\.localhost$/;
const INVALID_NAME = /(?:^|\.)invalid$/;

/** Finds the next hops of a target, best first (RFC 3263 §4). */
export class HopResolver {
  constructor(private readonly options: HopResolverOptions) {}

  /** The hop of an IP literal, without waiting; undefined for a name. Throws ResolveError `UNKNOWN_TRANSPORT`. */
  literal(target: HopTarget): Hop | undefined {
    const address = addressOf(target);
    if (address === undefined) return undefined;
    const protocol = protocolOf(target) ?? defaultProtocol(target);
    return { protocol, address, port: target.port ?? DEFAULT_PORTS[protocol] };
  }

  /** At least one hop, each with the target's name. Rejects with ResolveError. */
  async resolve(target: HopTarget): Promise<Hop[]> {
    const literal = this.literal(target);
    if (literal) return [literal];
    const name = toDnsName(target.host);
    if (name === undefined || INVALID_NAME.test(name))
      throw new ResolveError('HOST_NOT_FOUND', 'not the name of a host');
    const protocol = protocolOf(target);
    if (protocol && !this.canUse(protocol))
      throw new ResolveError('UNKNOWN_TRANSPORT', `nothing here speaks ${protocol}`);
    const hops = LOCAL_NAME.test(name)
      ? await this.systemHops(name, target)
      : await this.dnsHops(name, target);
    if (hops.length === 0)
      throw new ResolveError('HOST_NOT_FOUND', `${name} has no server that we can reach`);
    return hops.slice(0, this.options.limits.maxHops).map((hop) => ({ ...hop, name }));
  }

  private async dnsHops(name: string, target: HopTarget): Promise<Hop[]> {
    try {
      // RFC 3263 §4.2: a port leaves nothing for SRV to say.
      const found = target.port === undefined ? await this.byServices(name, target) : undefined;
      return found ?? (await this.byAddress(name, this.plainProtocol(target), target.port));
    } catch (error) {
      if (error instanceof DnsError) return this.systemHops(name, target);
      throw error;
    }
  }

  /** RFC 3263 §4.1, §4.2: undefined when neither NAPTR nor SRV records exist. */
  private async byServices(name: string, target: HopTarget): Promise<Hop[] | undefined> {
    const services = await this.services(name, target);
    const lists = await gather(services.map(({ srvName }) => this.servers(srvName)));
    if (lists.every((servers) => servers === undefined)) return undefined;
    const hops: Hop[] = [];
    for (const [i, { protocol }] of services.entries()) {
      const bound = Math.max(0, this.options.limits.maxHops - hops.length);
      hops.push(...(await this.hopsOfServers((lists[i] ?? []).slice(0, bound), protocol)));
    }
    return hops;
  }

  private async services(name: string, target: HopTarget): Promise<Service[]> {
    const protocol = protocolOf(target);
    if (protocol) return [serviceOf(protocol, name) ?? []].flat();
    const { secure = false } = target;
    const canUse = (candidate: Protocol): boolean => this.canUse(candidate);
    const { records, exists } = await this.options.dns.lookup('NAPTR', name);
    // RFC 8020: below a name that does not exist there is nothing.
    if (!exists) return [];
    const offered = offeredServices(records, secure, canUse);
    return offered.length > 0 ? offered : guessedServices(name, secure, canUse);
  }

  private async servers(srvName: string): Promise<Servers> {
    const name = toDnsName(srvName);
    if (name === undefined) return undefined;
    const { records } = await this.options.dns.lookup('SRV', name);
    if (records.length === 0) return undefined;
    // RFC 2782: a target of "." says that the service is not there.
    return orderServers(
      records.filter(({ target }) => target !== '.' && target !== ''),
      this.options.random,
    );
  }

  /** The addresses of each server in turn; one whose name leads nowhere is passed over. */
  private async hopsOfServers(servers: readonly SrvRecord[], protocol: Protocol): Promise<Hop[]> {
    const lists = await Promise.all(
      servers.map(async ({ target, port }) => {
        const name = toDnsName(target);
        if (name === undefined) return [];
        return this.byAddress(name, protocol, port).catch(() => []);
      }),
    );
    return lists.flat();
  }

  /** A and AAAA, those of the family that our listeners prefer first; at last the operating system's addresses. */
  private async byAddress(name: string, protocol: Protocol, port = DEFAULT_PORTS[protocol]): Promise<Hop[]> {
    const families = this.options.families(protocol);
    const lists = await gather(families.map((family) => this.addressRecords(family, name)));
    const addresses = lists.flatMap((list) => list ?? []);
    if (addresses.length === 0) return this.systemAddresses(name, protocol, port);
    return addresses.map((address) => ({ protocol, address, port }));
  }

  private async addressRecords(family: Family, name: string): Promise<readonly string[] | undefined> {
    const { records } = await this.options.dns.lookup(family === 6 ? 'AAAA' : 'A', name);
    return records.length > 0 ? records : undefined;
  }

  private systemHops(name: string, target: HopTarget): Promise<Hop[]> {
    const protocol = this.plainProtocol(target);
    return this.systemAddresses(name, protocol, target.port ?? DEFAULT_PORTS[protocol]);
  }

  private async systemAddresses(name: string, protocol: Protocol, port: number): Promise<Hop[]> {
    const found = await this.options.system.addresses(name);
    return this.options
      .families(protocol)
      .flatMap((family) => found.filter((address) => isIPv6(address) === (family === 6)))
      .map((address) => ({ protocol, address, port }));
  }

  /** The transport when no record tells; the first that we speak when UDP is not among them. */
  private plainProtocol(target: HopTarget): Protocol {
    const asked = protocolOf(target);
    if (asked) return asked;
    const usual = defaultProtocol(target);
    const others: readonly Protocol[] = target.secure === true ? [] : ['tcp', 'tls'];
    return [usual, ...others].find((protocol) => this.canUse(protocol)) ?? usual;
  }

  private canUse(protocol: Protocol): boolean {
    return this.options.families(protocol).length > 0;
  }
}

/** What was found, in order, undefined for nothing. A failure counts only where nothing was found at all. */
async function gather<T>(questions: readonly Promise<T | undefined>[]): Promise<(T | undefined)[]> {
  const outcomes = await Promise.allSettled(questions);
  const found = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure && found.every((value) => value === undefined)) throw failure.reason;
  return found;
}
