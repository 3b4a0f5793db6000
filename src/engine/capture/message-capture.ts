import type { Clock } from '../../platform/clock.js';
import type { Protocol } from '../types.js';
import { maskedText } from './masked-text.js';

/** Bounds of one capture. */
export interface CaptureLimits {
  /** Messages kept; the oldest give way. */
  readonly messages: number;
  /** Of their text, together; octets. */
  readonly bytes: number;
  /** Octets of one message that are kept. */
  readonly messageBytes: number;
  /** Call-IDs that are followed because one of their messages fitted; the oldest give way. */
  readonly callIds: number;
}

export const DEFAULT_CAPTURE_LIMITS: CaptureLimits = {
  messages: 5000,
  bytes: 8 * 1024 * 1024,
  messageBytes: 16 * 1024,
  callIds: 2000,
};

/** Which messages to keep: those that fit any of what is given, and all of a Call-ID of which one fitted. Empty: all. */
export interface CaptureFilter {
  readonly callIds?: readonly string[];
  /** User part of a URI in the start line, From or To. */
  readonly user?: string;
  /** IP address of the peer. */
  readonly address?: string;
}

/** One message as it was on the wire. */
export interface CapturedMessage {
  /** Wall time, milliseconds. */
  readonly at: number;
  /** Monotonic milliseconds. */
  readonly mono: number;
  readonly sent: boolean;
  readonly protocol: Protocol;
  /** `address:port`, ours and the peer's. */
  readonly local: string;
  readonly peer: string;
  readonly callId: string;
  /** Latin1, credentials and private bodies masked. */
  readonly text: string;
}

export interface CaptureState {
  readonly active: boolean;
  readonly filter: CaptureFilter;
  readonly kept: number;
  /** Messages that gave way to newer ones. */
  readonly lost: number;
}

/** One end of a hop. */
export interface End {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
}

const CALL_ID = /^(?:call-id|i)[ \t]*:[ \t]*(\S+)/im;

/** Keeps messages of the wire for people who look for a fault; a ring, so that it may be forgotten running. */
export class MessageCapture {
  isActive = false;
  private filter: CaptureFilter = {};
  private userPattern: RegExp | undefined;
  private followed = new Set<string>();
  private kept: CapturedMessage[] = [];
  private keptBytes = 0;
  private lost = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits = DEFAULT_CAPTURE_LIMITS,
  ) {}

  /** Begins anew: what was kept is gone. */
  start(filter: CaptureFilter): void {
    this.filter = filter;
    this.userPattern =
      filter.user === undefined ? undefined : new RegExp(`[:<]${escaped(filter.user)}(?=[@;>\\s])`, 'i');
    this.followed = new Set(filter.callIds);
    this.kept = [];
    this.keptBytes = 0;
    this.lost = 0;
    this.isActive = true;
  }

  /** Keeps no more; what is there can still be read. */
  stop(): void {
    this.isActive = false;
  }

  state(): CaptureState {
    const { isActive: active, filter, lost } = this;
    return { active, filter, kept: this.kept.length, lost };
  }

  /** In the order of the wire. */
  messages(): readonly CapturedMessage[] {
    return this.kept;
  }

  /** Looks at one message that was sent or has come. */
  take(wireText: string, sent: boolean, peer: End, local: { address: string; port: number }): void {
    const text = wireText.slice(0, this.limits.messageBytes);
    const callId = CALL_ID.exec(text)?.[1] ?? '';
    if (!this.fits(callId, text, peer.address)) return;
    const message = {
      at: this.clock.now(),
      mono: this.clock.monotonic(),
      sent,
      protocol: peer.protocol,
      local: shown(local),
      peer: shown(peer),
      callId,
      // A string of its own: a part of another would keep the whole of it.
      text: Buffer.from(maskedText(text), 'latin1').toString('latin1'),
    };
    this.kept.push(message);
    this.keptBytes += message.text.length;
    this.makeRoom();
  }

  private fits(callId: string, text: string, address: string): boolean {
    const { filter, userPattern, followed } = this;
    if (followed.has(callId)) return true;
    const isAll = !filter.callIds && !userPattern && filter.address === undefined;
    if (!isAll && filter.address !== address && !userPattern?.test(addressesOf(text))) return false;
    if (!isAll) this.follow(callId);
    return true;
  }

  private follow(callId: string): void {
    this.followed.add(callId);
    if (this.followed.size <= this.limits.callIds) return;
    for (const oldest of this.followed) {
      this.followed.delete(oldest);
      return;
    }
  }

  /** Drops a batch at once: a shift for each message would move all of them each time. */
  private makeRoom(): void {
    if (this.kept.length <= this.limits.messages && this.keptBytes <= this.limits.bytes) return;
    const dropped = this.kept.splice(0, Math.ceil(this.kept.length / 10));
    this.lost += dropped.length;
    for (const { text } of dropped) this.keptBytes -= text.length;
  }
}

/** Start line, From and To. */
function addressesOf(text: string): string {
  const lines = text.match(/^(?:from|f|to|t)[ \t]*:[^\r\n]*/gim) ?? [];
  return [text.slice(0, text.indexOf('\r\n')), ...lines].join('\n');
}

function shown({ address, port }: { address: string; port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
