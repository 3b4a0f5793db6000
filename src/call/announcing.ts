import type { AnnouncementFinder, AnnouncementName, PlayableAnnouncement } from '../announcements/types.js';
import { answerAudio } from '../audio/describe.js';
import type { AudioEndpoint, AudioEndpointUser, AudioHost } from '../audio/types.js';
import type { Clock, TimerHandle } from '../platform/clock.js';
import { errorMessage } from '../platform/errors.js';
import type { Call } from './call.js';
import type { CauseName } from './causes.js';
import { PRODUCT } from './header-policy.js';
import type { CallEnd } from './release.js';

/** What calls need to tell callers why they fail. */
export interface AnnouncerParts {
  readonly announcements: AnnouncementFinder;
  readonly audio: Pick<AudioHost, 'open'>;
}

/** Announcements of one server at one time; beyond, calls fail without. */
const MAX_AT_ONCE = 200;

/** Which announcement stands for a release reason; the others fail in silence. */
const ANNOUNCEMENT_OF: Partial<Record<CauseName, AnnouncementName>> = {
  'callee-unknown': 'UNKNOWN',
  'callee-number-unknown': 'UNKNOWN',
  'address-incomplete': 'UNKNOWN',
  'callee-busy': 'BUSY',
  'conference-full': 'BUSY',
  'conference-limit': 'FAILED',
  'conference-locked': 'REJECTED',
  'conference-forbidden': 'BARRED',
  'callee-no-answer': 'NO_ANSWER',
  'callee-unavailable': 'UNREACHABLE',
  'callee-not-registered': 'UNREACHABLE',
  'callee-unreachable': 'UNREACHABLE',
  'callee-timeout': 'UNREACHABLE',
  'callee-rejected': 'REJECTED',
  'callee-do-not-disturb': 'REJECTED',
  'caller-suspended': 'BARRED',
  'callee-suspended': 'BARRED',
  'destination-barred': 'BARRED',
  'outside-not-allowed': 'BARRED',
  'outside-limit': 'BARRED',
  'trunks-down': 'FAILED',
  'trunks-full': 'FAILED',
  'trunk-limit': 'FAILED',
  'callee-failed': 'FAILED',
  'callee-redirected': 'FAILED',
  'callee-challenged': 'FAILED',
  'callee-not-acceptable': 'FAILED',
  'callee-description-bad': 'FAILED',
  'forward-loop': 'FAILED',
  'feature-code-done': 'CODE_DONE',
  'feature-code-refused': 'CODE_REFUSED',
};

/** The announcement for a release reason. */
export function announcementFor(cause: CauseName): AnnouncementName | undefined {
  return ANNOUNCEMENT_OF[cause];
}

/** The announcements of one server. */
export class Announcer {
  private running = 0;

  constructor(private readonly parts: AnnouncerParts) {}

  /** What a caller is to hear; undefined for nothing. Each one is given back by `release`. */
  take(name: AnnouncementName): PlayableAnnouncement | undefined {
    const found = this.running < MAX_AT_ONCE ? this.parts.announcements.find(name) : undefined;
    if (found) this.running++;
    return found;
  }

  release(): void {
    this.running--;
  }

  open(user: AudioEndpointUser, offer: string): Promise<AudioEndpoint> {
    return this.parts.audio.open(user, offer);
  }
}

/**
 * Tells a caller why its call fails, before it fails: 183 with our answer to its offer (RFC 3264 §6, RFC 3960 §3), the sound, then the
 * final response. The call's end stays what it was; whoever ends it meanwhile only ends the sound.
 */
export class Announcing {
  private pending: CallEnd | undefined;
  private endpoint: AudioEndpoint | undefined;
  private timer: TimerHandle | undefined;
  private isOver = false;

  constructor(
    private readonly call: Call,
    private readonly clock: Clock,
    private readonly announcer: Announcer | undefined,
  ) {}

  get isOn(): boolean {
    return this.pending !== undefined && !this.isOver;
  }

  /** Whether the end waits for an announcement, or ends one. */
  takes(end: CallEnd): boolean {
    if (this.isOn) {
      this.finish(end);
      return true;
    }
    const { announcer } = this;
    const chosen = this.pending ? undefined : this.choose(end);
    if (!announcer || !chosen) return false;
    this.pending = end;
    this.start(chosen, announcer).catch((error: unknown) => {
      this.call.log.info({ reason: errorMessage(error) }, 'a caller could not be told why its call fails');
      this.finish();
    });
    return true;
  }

  /** The sound ends, and the endpoint with it. */
  stop(): void {
    if (!this.isOn) return;
    this.isOver = true;
    this.announcer?.release();
    this.clock.clearTimeout(this.timer);
    void this.endpoint?.close();
  }

  /** Who sent no offer has described nothing that could be answered; a call of the server's own has nobody to tell. */
  private choose({ cause }: CallEnd): PlayableAnnouncement | undefined {
    const { a, isEnding, isLateOffer } = this.call;
    const name = ANNOUNCEMENT_OF[cause.name];
    const isOwn = a.req.source === 'application';
    if (!name || isEnding || isLateOffer || isOwn || !a.isTrying || a.isCancelled) return undefined;
    return this.announcer?.take(name);
  }

  private async start(chosen: PlayableAnnouncement, announcer: Announcer): Promise<void> {
    const { call, clock } = this;
    const offer = await call.media.offer('a', call.a.req.body ?? '', call.a.peer);
    const endpoint = await announcer.open({ onLost: () => this.finish() }, offer);
    this.endpoint = endpoint;
    if (this.isOver) {
      await endpoint.close();
      return;
    }
    const { sdp, remote } = answerAudio(endpoint, offer);
    const answer = await call.media.earlyAnswer('b', sdp, { signallingAddress: endpoint.address });
    if (this.isOver) return;
    endpoint.connect(remote);
    call.a.progress(183, { Server: PRODUCT }, answer);
    call.trail.add({ kind: 'announced', name: chosen.name });
    this.timer = clock.setTimeout(() => this.finish(), chosen.maxMs);
    await endpoint.play(chosen.sound, { loop: chosen.loop });
    this.finish();
  }

  /** The call ends as it would have; a caller that hung up meanwhile has heard 487. */
  private finish(by?: CallEnd): void {
    const { pending, call } = this;
    if (!pending || this.isOver) return;
    const isCancelled = by?.cause.name === 'caller-cancelled';
    this.stop();
    call.conclude(isCancelled ? { ...pending, status: 487, phrase: 'Request Terminated' } : pending);
  }
}
