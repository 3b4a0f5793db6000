import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../platform/clock.js';
import { withDeadline } from '../platform/deadline.js';
import { errorMessage } from '../platform/errors.js';
import type { Logger } from '../platform/logger.js';
import type { AudioEngineOptions } from './audio-engine.js';
import { AudioUnavailableError, SoundError } from './errors.js';
import type {
  AudioEndpoint,
  AudioEndpointUser,
  AudioHost,
  AudioRemote,
  AudioStats,
  EndpointStats,
  PlayEnd,
  Sound,
  SoundFacts,
} from './types.js';
import type {
  AudioOrder,
  AudioRequest,
  HostMessage,
  WorkerMessage,
  WorkerOptions,
} from './worker-messages.js';

/** How long the thread may take to answer, milliseconds; it reads files for some requests. */
const REPLY_MS = 5000;
/** A thread that ends by itself is started again when it is next wanted, not sooner than this, milliseconds. */
const RESTART_AFTER_MS = 500;

export interface AudioHostOptions extends AudioEngineOptions {
  /** Endpoints send to their own address, whatever host their peers' descriptions name: the relay listens there too. */
  readonly isRelayHere?: boolean;
  readonly log: Logger;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The audio thread, started when the first endpoint or sound is wanted. The caller closes it. */
export function createAudioHost(options: AudioHostOptions): AudioHost {
  return new WorkerAudioHost(options);
}

class WorkerAudioHost implements AudioHost {
  private worker: Promise<Worker> | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private readonly users = new Map<number, AudioEndpointUser>();
  private lastRequest = 0;
  private lastEndpoint = 0;
  private endedAtMs = Number.NEGATIVE_INFINITY;
  private isClosed = false;

  constructor(private readonly options: AudioHostOptions) {}

  async open(user: AudioEndpointUser = {}, offer?: string): Promise<AudioEndpoint> {
    const { address6, isRelayHere = false } = this.options;
    const address = (offer !== undefined && isIp6(offer) && address6) || this.options.address;
    const id = ++this.lastEndpoint;
    this.users.set(id, user);
    try {
      const port = (await this.ask({ type: 'open', id, address })) as number;
      return new HostedEndpoint(this, id, address, port, isRelayHere);
    } catch (error) {
      // An answer that comes too late would leave ports that nobody knows of.
      if (this.worker) void this.forget(id);
      else this.users.delete(id);
      throw error instanceof AudioUnavailableError
        ? error
        : new AudioUnavailableError('no audio endpoint', error);
    }
  }

  async check(sound: Sound): Promise<SoundFacts> {
    return (await this.ask({ type: 'check', sound })) as SoundFacts;
  }

  async playToMix(mix: string, sound: Sound): Promise<void> {
    await this.ask({ type: 'playToMix', mix, sound });
  }

  async stats(): Promise<AudioStats> {
    const { min, max } = this.options.ports;
    const idle = { endpoints: 0, mixes: 0, free: (max - min + 1) >> 1, sent: 0, received: 0, cachedBytes: 0 };
    return this.worker ? ((await this.ask({ type: 'stats' })) as AudioStats) : idle;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const worker = await this.worker?.catch(() => undefined);
    if (!worker) return;
    const exit = once(worker, 'exit');
    worker.postMessage({ type: 'shutdown' } satisfies HostMessage);
    await exit;
  }

  /** Forgets an endpoint; its thread frees the ports. */
  async forget(id: number): Promise<void> {
    if (!this.users.delete(id)) return;
    await this.ask({ type: 'close', id }).catch(() => undefined);
  }

  /** True until the endpoint is closed or lost. */
  has(id: number): boolean {
    return this.users.has(id);
  }

  order(order: AudioOrder): void {
    if (!this.has(order.id)) return;
    void this.worker
      ?.then((worker) => worker.postMessage(order satisfies HostMessage))
      .catch(() => undefined);
  }

  /** Asks the thread. A sound takes the time it takes; everything else has to be answered soon. */
  async ask(message: AudioRequest): Promise<unknown> {
    const worker = await this.running();
    const request = ++this.lastRequest;
    const reply = new Promise((resolve, reject) => this.waiting.set(request, { resolve, reject }));
    worker.postMessage({ ...message, request } satisfies HostMessage);
    if (message.type === 'play') return reply;
    try {
      return await withDeadline(reply, REPLY_MS, 'the audio thread');
    } finally {
      this.waiting.delete(request);
    }
  }

  private running(): Promise<Worker> {
    if (this.isClosed) return Promise.reject(new AudioUnavailableError('audio is closed'));
    if (!this.worker) {
      const sinceMs = systemClock.monotonic() - this.endedAtMs;
      if (sinceMs < RESTART_AFTER_MS)
        return Promise.reject(new AudioUnavailableError('the audio thread has just ended'));
      this.worker = this.start();
      this.worker.catch(() => this.ended());
    }
    return this.worker;
  }

  private async start(): Promise<Worker> {
    const { log, address, ports } = this.options;
    const workerData: WorkerOptions = { address, ports };
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
    worker.on('error', (error) => log.error({ err: error }, 'audio thread crashed'));
    const ready = new Promise<void>((resolve, reject) => {
      worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'ready') resolve();
        else this.take(message);
      });
      worker.once('exit', () => reject(new AudioUnavailableError('the audio thread ended')));
    });
    worker.once('exit', () => this.ended());
    await ready;
    return worker;
  }

  private take(message: Exclude<WorkerMessage, { type: 'ready' }>): void {
    if (message.type === 'digit') {
      this.users.get(message.id)?.onDigit?.(message.digit);
      return;
    }
    const waiting = this.waiting.get(message.request);
    this.waiting.delete(message.request);
    if (message.type === 'reply') waiting?.resolve(message.value);
    else if (message.code === 'SOUND_UNUSABLE') waiting?.reject(new SoundError(message.message));
    else waiting?.reject(new AudioUnavailableError(message.message));
  }

  /** Everything in the thread is gone. */
  private ended(): void {
    this.worker = undefined;
    this.endedAtMs = systemClock.monotonic();
    const lost = [...this.users.values()];
    const waiting = [...this.waiting.values()];
    this.users.clear();
    this.waiting.clear();
    for (const { reject } of waiting) reject(new AudioUnavailableError('the audio thread ended'));
    if (!this.isClosed && lost.length > 0)
      this.options.log.error({ endpoints: lost.length }, 'the audio thread ended; its endpoints are lost');
    for (const user of lost) this.tell(() => user.onLost?.());
  }

  private tell(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.options.log.error({ reason: errorMessage(error) }, 'an owner of an audio endpoint failed');
    }
  }
}

/** Whether the first stream of a description that has an address is told by IPv6. */
function isIp6(sdp: string): boolean {
  return /^c=IN IP(\d)/m.exec(sdp)?.[1] === '6';
}

class HostedEndpoint implements AudioEndpoint {
  constructor(
    private readonly host: WorkerAudioHost,
    private readonly id: number,
    readonly address: string,
    readonly port: number,
    private readonly isRelayHere: boolean,
  ) {}

  connect(remote: AudioRemote): void {
    const address = this.isRelayHere ? this.address : remote.address;
    this.host.order({ type: 'connect', id: this.id, remote: { ...remote, address } });
  }

  async play(sound: Sound, options = {}): Promise<PlayEnd> {
    const { host, id } = this;
    if (!host.has(id)) return 'closed';
    try {
      return (await host.ask({ type: 'play', id, sound, options })) as PlayEnd;
    } catch (error) {
      if (error instanceof SoundError) throw error;
      return 'closed';
    }
  }

  join(mix: string, member = {}): void {
    this.host.order({ type: 'join', id: this.id, mix, member });
  }

  async stats(): Promise<EndpointStats> {
    try {
      return (await this.host.ask({ type: 'statsOf', id: this.id })) as EndpointStats;
    } catch {
      return { sent: 0, received: 0, dropped: 0, late: 0 };
    }
  }

  close(): Promise<void> {
    return this.host.forget(this.id);
  }
}
