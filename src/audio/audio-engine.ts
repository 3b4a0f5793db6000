import { PortPool } from '../media/relay/port-pool.js';
import type { Clock } from '../platform/clock.js';
import { AudioUnavailableError } from './errors.js';
import { SAMPLE_RATE_HZ } from './frame.js';
import { FrameClock } from './frame-clock.js';
import { Mix } from './mix.js';
import { Player } from './player.js';
import { RtpParty } from './rtp-party.js';
import { SoundCache } from './sound-cache.js';
import type {
  AudioRemote,
  AudioStats,
  EndpointStats,
  MixMember,
  PlayEnd,
  PlayOptions,
  Sound,
  SoundFacts,
} from './types.js';

/** Most members of one mix. */
const MAX_MIX_MEMBERS = 500;

export interface AudioEngineOptions {
  /** IPv4 or IPv6 address that endpoints listen on. */
  readonly address: string;
  /** That of endpoints that have to speak IPv6, when `address` does not. */
  readonly address6?: string;
  /** Inclusive; each endpoint takes two neighbouring ones. */
  readonly ports: { readonly min: number; readonly max: number };
}

interface Member {
  readonly party: RtpParty;
  mixName?: string;
}

/** All endpoints and mixes of a thread, on one beat. Endpoints have numbers that their host gives them. */
export class AudioEngine {
  private readonly members = new Map<number, Member>();
  private readonly mixes = new Map<string, Mix>();
  private readonly pool: PortPool;
  private readonly sounds = new SoundCache();
  private readonly beat: FrameClock;
  /** Of endpoints that are closed. */
  private readonly past = { sent: 0, received: 0 };

  constructor(
    options: Pick<AudioEngineOptions, 'ports'>,
    private readonly clock: Clock,
    private readonly onDigit: (id: number, digit: string) => void,
  ) {
    const { min, max } = options.ports;
    this.pool = new PortPool(min, max);
    this.beat = new FrameClock(clock, () => this.onFrame());
  }

  /** Opens an endpoint on one of its addresses; resolves its port. Rejects with AudioUnavailableError when there is none left. */
  async open(id: number, address: string): Promise<number> {
    const ports = await this.pool.acquire(address);
    if (!ports) throw new AudioUnavailableError('all audio ports are taken');
    const party = new RtpParty(
      ports,
      () => this.clock.monotonic(),
      (digit) => this.onDigit(id, digit),
    );
    this.members.set(id, { party });
    this.beat.start();
    return ports.port;
  }

  connect(id: number, remote: AudioRemote): void {
    this.members.get(id)?.party.connect(remote);
  }

  /** Resolves when the sound is over. Rejects with SoundError. */
  async play(id: number, sound: Sound, { loop = false }: PlayOptions): Promise<PlayEnd> {
    const samples = await this.sounds.load(sound);
    const party = this.members.get(id)?.party;
    if (!party) return 'closed';
    return new Promise((resolve) => party.play(new Player(samples, loop, resolve)));
  }

  join(id: number, name: string, { muted = false }: MixMember): void {
    const member = this.members.get(id);
    if (!member) return;
    const { party } = member;
    party.muted = muted;
    if (member.mixName === name) return;
    this.leave(id);
    const mix = this.mixes.get(name) ?? new Mix();
    if (mix.size >= MAX_MIX_MEMBERS) return;
    this.mixes.set(name, mix);
    mix.add(party);
    member.mixName = name;
    party.setMixed(true);
  }

  private leave(id: number): void {
    const member = this.members.get(id);
    if (member?.mixName === undefined) return;
    const mix = this.mixes.get(member.mixName);
    mix?.remove(member.party);
    if (mix?.size === 0) this.mixes.delete(member.mixName);
    delete member.mixName;
    member.party.setMixed(false);
  }

  async playToMix(name: string, sound: Sound): Promise<void> {
    const samples = await this.sounds.load(sound);
    this.mixes.get(name)?.play(samples);
  }

  async check(sound: Sound): Promise<SoundFacts> {
    const { length } = await this.sounds.load(sound);
    return { durationMs: (length * 1000) / SAMPLE_RATE_HZ };
  }

  statsOf(id: number): EndpointStats {
    return this.members.get(id)?.party.stats() ?? { sent: 0, received: 0, dropped: 0, late: 0 };
  }

  stats(): AudioStats {
    let { sent, received } = this.past;
    for (const { party } of this.members.values()) {
      const stats = party.stats();
      sent += stats.sent;
      received += stats.received;
    }
    const { size: endpoints } = this.members;
    const { available: free } = this.pool;
    return { endpoints, mixes: this.mixes.size, free, sent, received, cachedBytes: this.sounds.size };
  }

  /** Frees an endpoint's ports; what plays on it ends. */
  close(id: number): void {
    const member = this.members.get(id);
    if (!member) return;
    this.leave(id);
    const { sent, received } = member.party.stats();
    this.past.sent += sent;
    this.past.received += received;
    member.party.close();
    this.members.delete(id);
    this.pool.release(member.party.ports);
    if (this.members.size === 0) this.beat.stop();
  }

  closeAll(): void {
    for (const id of [...this.members.keys()]) this.close(id);
  }

  private onFrame(): void {
    for (const mix of this.mixes.values()) mix.run();
    for (const { party, mixName } of this.members.values()) if (mixName === undefined) party.run();
  }
}
