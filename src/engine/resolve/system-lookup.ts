import { lookup } from 'node:dns/promises';
import type { Clock } from '../../platform/clock.js';
import { withDeadline } from '../../platform/deadline.js';
import { AppError, errorMessage } from '../../platform/errors.js';
import { ResolveError } from './errors.js';
import type { ResolveCounters, ResolveLimits } from './limits.js';

const MAX_ENTRIES = 1_024;

export interface SystemLookupOptions {
  readonly clock: Clock;
  readonly limits: ResolveLimits;
  readonly counters: ResolveCounters;
  /** Default: the operating system's. */
  readonly lookupAll?: ((host: string) => Promise<readonly { address: string }[]>) | undefined;
}

/**
 * Addresses as the operating system finds them: /etc/hosts, search domains and whatever else it is set up for. It blocks
 * a thread for as long as it takes, so it is asked last, and what it says is kept for a while.
 */
export class SystemLookup {
  private readonly known = new Map<string, { addresses: readonly string[]; untilMs: number }>();
  private readonly pending = new Map<string, Promise<readonly string[]>>();

  constructor(private readonly options: SystemLookupOptions) {}

  /** At least one address. Rejects with ResolveError. */
  async addresses(host: string): Promise<readonly string[]> {
    const entry = this.known.get(host);
    const isFresh = entry && entry.untilMs > this.options.clock.monotonic();
    const addresses = isFresh ? entry.addresses : await (this.pending.get(host) ?? this.start(host));
    if (addresses.length > 0) return addresses;
    throw new ResolveError('HOST_NOT_FOUND', `${host} has no address`);
  }

  /** Requests for one name share a look-up. */
  private start(host: string): Promise<readonly string[]> {
    if (this.pending.size >= this.options.limits.maxSystemLookups)
      return Promise.reject(new ResolveError('RESOLVER_BUSY', 'too many look-ups under way'));
    const started = this.ask(host).finally(() => this.pending.delete(host));
    this.pending.set(host, started);
    return started;
  }

  private async ask(host: string): Promise<readonly string[]> {
    const { limits, counters, lookupAll = systemLookupAll } = this.options;
    counters.systemLookups++;
    try {
      const found = await withDeadline(lookupAll(host), limits.systemLookupTimeoutMs, `look-up of ${host}`);
      return this.keep(
        host,
        found.map(({ address }) => address),
      );
    } catch (error) {
      if (error instanceof AppError && error.code === 'TIMEOUT')
        throw new ResolveError('RESOLVE_TIMEOUT', errorMessage(error), error);
      this.keep(host, []);
      throw new ResolveError('HOST_NOT_FOUND', errorMessage(error), error);
    }
  }

  private keep(host: string, addresses: readonly string[]): readonly string[] {
    const { clock, limits } = this.options;
    const forMs = addresses.length > 0 ? limits.systemTtlMs : limits.systemNegativeTtlMs;
    this.known.delete(host);
    this.known.set(host, { addresses, untilMs: clock.monotonic() + forMs });
    if (this.known.size > MAX_ENTRIES) this.known.delete(this.known.keys().next().value!);
    return addresses;
  }
}

function systemLookupAll(host: string): Promise<readonly { address: string }[]> {
  return lookup(host, { all: true, verbatim: true });
}
