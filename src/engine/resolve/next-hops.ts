import { getServers } from 'node:dns';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../platform/clock.js';
import type { Closeable } from '../../platform/lifecycle.js';
import { parseUri } from '../../sip/uri.js';
import type { Via } from '../../sip/via.js';
import type { Hop, Protocol } from '../types.js';
import { DnsCache } from './dns-cache.js';
import { DnsClient } from './dns-client.js';
import { ResolveError } from './errors.js';
import { FailedTargets } from './failed-targets.js';
import { type Family, HopResolver } from './hop-resolver.js';
import {
  createResolveCounters,
  DEFAULT_RESOLVE_LIMITS,
  type ResolveCounters,
  type ResolveLimits,
} from './limits.js';
import { SystemLookup } from './system-lookup.js';
import type { HopTarget } from './target.js';

export interface NextHopsOptions {
  readonly clock: Clock;
  /** DNS servers, `address` or `address:port`; default: the machine's. */
  readonly servers?: readonly string[] | undefined;
  readonly limits?: Partial<ResolveLimits> | undefined;
  /** Default: the operating system's. */
  readonly lookupAll?: ((host: string) => Promise<readonly { address: string }[]>) | undefined;
  readonly random?: (() => number) | undefined;
}

/** What can be listened on, in the order of our listeners. */
interface Listening {
  readonly protocol: Protocol;
  readonly family: Family;
}

const NO_FAMILIES: readonly Family[] = [];
/** URIs whose address is written in them and whose hop is remembered: phones' Contacts come again and again. */
const MAX_LITERALS = 4_096;
/** Of longer ones it is not. */
const MAX_LITERAL_LENGTH = 256;

/** Finds where messages go (RFC 3263): requests by URI, responses by Via. */
export class NextHops implements Closeable {
  readonly counters: ResolveCounters = createResolveCounters();
  readonly failed: FailedTargets;
  private readonly client: DnsClient;
  private readonly cache: DnsCache;
  private readonly resolver: HopResolver;
  private readonly families = new Map<Protocol, Family[]>();
  private readonly literals = new Map<string, Hop>();

  constructor(options: NextHopsOptions) {
    const { clock, servers, lookupAll, random } = options;
    const limits = { ...DEFAULT_RESOLVE_LIMITS, ...options.limits };
    const { counters } = this;
    const client = new DnsClient({ clock, limits, counters, servers: () => servers ?? getServers() });
    const cache = new DnsCache({ clock, limits, counters, ask: (question) => client.ask(question) });
    this.client = client;
    this.cache = cache;
    this.failed = new FailedTargets(clock, limits);
    this.resolver = new HopResolver({
      dns: cache,
      system: new SystemLookup({ clock, limits, counters, lookupAll }),
      limits,
      families: (protocol) => this.families.get(protocol) ?? NO_FAMILIES,
      ...(random ? { random } : {}),
    });
  }

  /** Answers of DNS that are kept. */
  get cacheSize(): number {
    return this.cache.size;
  }

  /**
   * Only what can be sent to is found, which WebSocket peers cannot: they connect to us. The listeners' order decides
   * between IPv4 and IPv6 (RFC 7984).
   */
  useListeners(listeners: readonly Listening[]): void {
    this.families.clear();
    this.literals.clear();
    for (const { protocol, family } of listeners) {
      if (protocol === 'ws' || protocol === 'wss') continue;
      const known = this.families.get(protocol) ?? [];
      if (!known.includes(family)) this.families.set(protocol, [...known, family]);
    }
  }

  /**
   * The next hop for a URI, its alternatives with it: at once for an IP literal. Throws or rejects with ResolveError.
   */
  find(text: string): Hop | Promise<Hop> {
    const known = this.literals.get(text);
    if (known) return known;
    const target = targetOf(text);
    const literal = this.resolver.literal(target);
    return literal ? this.remember(text, this.withLargeBy(literal)) : this.resolve(target);
  }

  /**
   * Where a response goes when neither its connection nor the address that its request came from can be reached (RFC
   * 3263 §5): sent-by's address; or its name, with SRV records when there is no port. Rejects with ResolveError.
   */
  async findForResponse(protocol: Protocol, via: Via): Promise<readonly Hop[]> {
    const { host, port } = via;
    return this.resolver.resolve({ host, port, transport: protocol });
  }

  close(): Promise<void> {
    this.client.close();
    return Promise.resolve();
  }

  private async resolve(target: HopTarget): Promise<Hop> {
    const found = await this.resolver.resolve(target);
    return withAlternatives(this.failed.order(found).map((hop) => this.withLargeBy(hop)));
  }

  /** An address needs no DNS, so nothing but other listeners makes its hop another. */
  private remember(text: string, hop: Hop): Hop {
    if (text.length > MAX_LITERAL_LENGTH) return hop;
    if (this.literals.size >= MAX_LITERALS) this.literals.clear();
    // Copied: a part of a frame would keep the whole of it.
    this.literals.set(Buffer.from(text).toString(), hop);
    return hop;
  }

  private withLargeBy(hop: Hop): Hop {
    if (hop.protocol !== 'udp') return hop;
    const tcp = this.families.get('tcp');
    return tcp?.includes(isIPv6(hop.address) ? 6 : 4) ? { ...hop, largeBy: 'tcp' } : hop;
  }
}

/** The first of at least one hop, the others with it. */
export function withAlternatives(hops: readonly Hop[]): Hop {
  const [first, ...alternatives] = hops;
  return alternatives.length === 0 ? first! : { ...first!, alternatives };
}

/** The hop with those of its alternatives that are wanted. */
export function keepAlternatives(hop: Hop, isWanted: (alternative: Hop) => boolean): Hop {
  const { alternatives, ...first } = hop;
  return alternatives ? withAlternatives([first, ...alternatives.filter(isWanted)]) : hop;
}

function targetOf(text: string): HopTarget {
  const uri = parseUri(text);
  if (!uri || uri.scheme === 'tel') throw new ResolveError('HOST_NOT_FOUND', 'the URI names no host');
  const { params, port } = uri;
  // RFC 3261 §19.1.1: maddr overrides the host.
  const host = params.get('maddr') ?? uri.host;
  return { host, port, transport: params.get('transport'), secure: uri.scheme === 'sips' };
}
