import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';
import { MediaError, type RelayHealth } from '../types.js';
import { openChannel } from './control-channel.js';
import { DeleteQueue } from './delete-queue.js';
import { describeRelayUrl, type RelayUrl } from './relay-url.js';
import {
  type PartyAddress,
  type RelayPort,
  RelayRefusal,
  RtpProxyClient,
  type StreamFigures,
  type StreamKey,
} from './rtpproxy-client.js';

/** The built-in relay's additions, asked for with VF; RTPProxy has none of them. */
const EXTENSION = 'ims-media-1';
/** A relay that failed is tried after the others for this long, milliseconds. */
const SHUN_MS = 10_000;
/** Tags that name the two sides of a call to the relay. */
const TAGS = { a: 'a', b: 'b' } as const;

/** One relay of the set, with what is known of its health. */
export class RelayNode {
  private readonly client: RtpProxyClient;
  private readonly deletes: DeleteQueue;
  private readonly closeChannel: () => Promise<void>;
  private extended: Promise<boolean> | undefined;
  private failedAtMs = Number.NEGATIVE_INFINITY;
  private lastError: string | undefined;

  /** `fallbackAddress` is told to phones when the relay names no address and its own host is no use to them. */
  constructor(
    private readonly url: RelayUrl,
    private readonly fallbackAddress: string | undefined,
    private readonly clock: Clock,
  ) {
    const channel = openChannel(url, clock);
    this.client = new RtpProxyClient(channel);
    this.closeChannel = () => channel.close();
    this.deletes = new DeleteQueue(
      (callId) => this.watched(this.client.delete(callId, TAGS.a, TAGS.b)),
      clock,
    );
  }

  get name(): string {
    return this.url.name;
  }

  /** Where it takes commands. */
  get controlUrl(): string {
    return describeRelayUrl(this.url);
  }

  /** True for a while after a failure. */
  get isShunned(): boolean {
    return this.clock.monotonic() - this.failedAtMs < SHUN_MS;
  }

  /** U for an offer, L for an answer. Rejects with MediaError. */
  async tell(verb: 'offer' | 'answer', key: StreamKey, party: PartyAddress): Promise<RelayPort> {
    const told: PartyAddress = (await this.isExtended())
      ? party
      : { address: party.address, port: party.port };
    const run = (as: PartyAddress): Promise<RelayPort> =>
      this.watched(verb === 'offer' ? this.client.update(key, as) : this.client.lookup(key, as));
    try {
      return await run(told);
    } catch (error) {
      // Another program may have taken this one's place since it was asked what it can do.
      if (!(error instanceof RelayRefusal) || told.alsoExpected === undefined || told.ownPort !== undefined)
        throw error;
      this.extended = undefined;
      return run({ address: party.address, port: party.port });
    }
  }

  /** Whether the relay can be asked for the ports that a session had. Rejects with MediaError. */
  canRestore(): Promise<boolean> {
    return this.isExtended();
  }

  /** The address to tell phones for a port of this relay. Rejects with MediaError when there is none. */
  async addressOf(port: RelayPort): Promise<string> {
    if (port.address !== undefined) return port.address;
    const host = this.url.kind === 'unix' ? undefined : this.url.host;
    const isOwnMachine =
      host === undefined || host === 'localhost' || host === '::1' || host.startsWith('127.');
    if (isOwnMachine && this.fallbackAddress !== undefined) return this.fallbackAddress;
    if (host === undefined) throw new MediaError('media relay names no address', { relay: this.name });
    if (isIP(host)) return host;
    try {
      return (await lookup(host)).address;
    } catch (error) {
      throw new MediaError('media relay names no address', { relay: this.name }, error);
    }
  }

  /** Rejects with MediaError. */
  async query(key: StreamKey): Promise<StreamFigures> {
    return this.watched(this.client.query(key, await this.isExtended()));
  }

  /** Ends all streams of a call, now or when the relay answers again. Never rejects. */
  async delete(callId: string): Promise<void> {
    try {
      await this.watched(this.client.delete(callId, TAGS.a, TAGS.b));
    } catch {
      this.deletes.add(callId);
    }
  }

  /** Asks the relay how it is. Never rejects. */
  async health(): Promise<RelayHealth> {
    try {
      const version = await this.watched(this.client.version());
      const activeSessions = await this.activeSessions();
      return {
        name: this.name,
        alive: true,
        version,
        ...(activeSessions !== undefined && { activeSessions }),
      };
    } catch (error) {
      return { name: this.name, alive: false, error: this.lastError ?? errorMessage(error) };
    }
  }

  /** Undefined of a relay that does not tell: it is alive none the less. */
  private activeSessions(): Promise<number | undefined> {
    return this.watched(this.client.activeSessions()).catch((error: unknown) => {
      if (error instanceof RelayRefusal) return undefined;
      throw error;
    });
  }

  async close(): Promise<void> {
    this.deletes.close();
    await this.closeChannel();
  }

  /** Asked once, and again after a failure: a relay that was restarted may be another program. */
  private isExtended(): Promise<boolean> {
    this.extended ??= this.watched(this.client.hasFeature(EXTENSION)).catch((error: unknown) => {
      if (!(error instanceof RelayRefusal)) throw error;
      return false;
    });
    return this.extended;
  }

  /** Notes whether the relay answers at all; an error reply is an answer. */
  private async watched<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.failedAtMs = Number.NEGATIVE_INFINITY;
      this.lastError = undefined;
      return result;
    } catch (error) {
      if (!(error instanceof RelayRefusal)) {
        this.failedAtMs = this.clock.monotonic();
        this.lastError = errorMessage(error);
        this.extended = undefined;
      }
      throw error;
    }
  }
}

/** How the relay knows a stream when `from` speaks first. */
export function streamKey(callId: string, from: 'a' | 'b', index: number): StreamKey {
  const to = from === 'a' ? 'b' : 'a';
  return { callId, fromTag: `${TAGS[from]};${index}`, toTag: `${TAGS[to]};${index}` };
}
