import type { AlarmStates } from '../alarms/types.js';
import { ClientRequest } from '../call/client-request.js';
import type { Clock, TimerHandle } from '../platform/clock.js';
import { randomToken } from '../platform/ids.js';
import type { Logger } from '../platform/logger.js';
import { header, headerList, headerNumber } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfEngine, SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { parseContact } from '../sip/contact.js';
import { parseUri } from '../sip/uri.js';
import type { challengeAnswerer } from './credentials.js';
import { refreshDelayMs, retryDelayMs } from './registration-times.js';
import type { RegistrationState } from './types.js';

/** Timer F of the engine is 32 s (RFC 3261 §17.1.2.2), and a margin. */
const ANSWER_TIMEOUT_MS = 35_000;
/** How long closing waits for the answer to the REGISTER that takes our Contact away. */
const GOODBYE_MS = 1000;
const MAX_EXPIRES_SEC = 86_400;

export interface RegistrationOptions {
  readonly trunk: string;
  /** `sip:host[:port];transport=…`: Request-URI and next hop. */
  readonly uri: string;
  /** Address-of-record: To and From. */
  readonly aor: string;
  /** User of our Contact: calls that the trunk sends to it are known by it, so nobody else may guess it. */
  readonly contactUser: string;
  readonly contactParams: string;
  readonly expiresSec: number;
  readonly answerChallenge: ReturnType<typeof challengeAnswerer>;
}

/** Keeps us registered with a trunk (RFC 3261 §10.2): refresh before expiry, 423, challenges, back-off with jitter. */
export class TrunkRegistration {
  state: RegistrationState = { state: 'trying', reason: 'not answered yet' };
  /** Where the registrar answered from; calls to our Contact are believed from there. */
  registrarAddress: string | undefined;
  private readonly callId = randomToken(24);
  private readonly tag = randomToken(12);
  private seq = 1;
  private expiresSec: number;
  private failures = 0;
  private timer: TimerHandle | undefined;
  private isStopped = false;
  /** Another one has our Contact from now on. */
  private isReplaced = false;
  private goodbye: Promise<void> | undefined;
  private openCount = 0;
  /** Resolves when none of the requests sent so far is open. */
  private answered: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: RegistrationOptions,
    private readonly engine: SrfEngine,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly alarms: AlarmStates,
    /** Begins when this is over. Never rejects. */
    after: Promise<unknown> = Promise.resolve(),
    /** One before may have left our Contact at the registrar. */
    private isInherited = false,
  ) {
    this.expiresSec = options.expiresSec;
    void after.then(() => {
      if (!this.isStopped) this.timer = clock.setTimeout(() => this.register(), Math.random() * 200);
    });
  }

  /**
   * Ends it, and takes our Contact away when it is there; resolves when that is answered, after `GOODBYE_MS` at the latest. One that
   * is replaced leaves the Contact to its successor, whose REGISTER takes the binding over (RFC 3261 §10.3): then it resolves when
   * nothing is open any more that could reach the registrar after that, `ANSWER_TIMEOUT_MS` at the latest. May be called again, the
   * last one counts. Never rejects.
   */
  stop(isReplaced = false): Promise<void> {
    this.isStopped = true;
    this.isReplaced = isReplaced;
    this.clock.clearTimeout(this.timer);
    if (isReplaced) return this.over();
    this.goodbye ??= this.sayGoodbye();
    return this.goodbye;
  }

  /** Resolves when no request is open. Never rejects. */
  async over(): Promise<void> {
    while (this.openCount > 0) await this.answered;
  }

  /** Whether one with these options has the same Contact at the same registrar. */
  isReplacedBy({ uri, aor, contactUser, contactParams }: RegistrationOptions): boolean {
    const { options } = this;
    return (
      options.uri === uri &&
      options.aor === aor &&
      options.contactUser === contactUser &&
      options.contactParams === contactParams
    );
  }

  /** Our Contact is at the registrar, or may come there. */
  get mayBeBound(): boolean {
    return this.state.state === 'registered' || this.isInherited || this.openCount > 0;
  }

  private sayGoodbye(): Promise<void> {
    if (this.state.state !== 'registered' && !this.isInherited) return Promise.resolve();
    this.state = { state: 'off', reason: 'stopped' };
    this.isInherited = false;
    return new Promise((resolve) => {
      const timer = this.clock.setTimeout(resolve, GOODBYE_MS);
      const done = (): void => {
        this.clock.clearTimeout(timer);
        resolve();
      };
      this.send(0, done, done);
    });
  }

  private register(): void {
    this.send(
      this.expiresSec,
      (res) => this.onFinal(res),
      () => this.onFailed(0, 'no answer'),
    );
  }

  private send(expiresSec: number, onFinal: (res: SrfResponse) => void, onFailure: () => void): void {
    const { uri, aor, contactUser, contactParams, answerChallenge } = this.options;
    const headers: OutgoingHeaders = {
      From: `<${aor}>;tag=${this.tag}`,
      To: `<${aor}>`,
      // RFC 3261 §10.2.4: one Call-ID for all registrations of a UA with one registrar, CSeq rising.
      'Call-ID': this.callId,
      CSeq: `${this.seq++} REGISTER`,
      Contact: `<sip:${contactUser}@localhost${contactParams}>`,
      Expires: expiresSec,
    };
    const onSent = (sent: SrfRequest): void => {
      const used = Number.parseInt(header(sent, 'cseq') ?? '', 10);
      if (used >= this.seq) this.seq = used + 1;
    };
    this.openCount++;
    const end = new Promise<void>((resolve) => {
      const ended = (): void => {
        this.openCount--;
        resolve();
      };
      new ClientRequest(
        this.engine,
        this.clock,
        { method: 'REGISTER', uri, headers, timeoutMs: ANSWER_TIMEOUT_MS, answerChallenge },
        {
          onSent,
          onFinal: (res) => {
            ended();
            onFinal(res);
          },
          onFailure: () => {
            ended();
            onFailure();
          },
        },
      );
    });
    this.answered = Promise.all([this.answered, end]);
  }

  private onFinal(res: SrfResponse): void {
    if (this.isStopped) {
      // Closing came first: what was just granted is given back, unless a successor has it.
      if (res.status < 300 && !this.isReplaced) this.send(0, ignore, ignore);
      return;
    }
    const { status, reason } = res;
    if (status < 300) this.onRegistered(res);
    else if (status === 423 && this.raiseExpires(res)) this.register();
    else this.onFailed(status, `${status} ${reason}`, retryAfterMs(res));
  }

  private onRegistered(res: SrfResponse): void {
    const { trunk } = this.options;
    const { now } = this.clock;
    const granted = Math.max(1, Math.min(this.grantedSec(res), MAX_EXPIRES_SEC));
    const delayMs = refreshDelayMs(granted, Math.random());
    if (this.state.state !== 'registered')
      this.log.info({ trunk, expiresSec: granted }, 'registered with a trunk');
    this.alarms.clear('TRUNK_UNREGISTERED', trunk);
    this.failures = 0;
    this.isInherited = false;
    this.registrarAddress = res.source_address || this.registrarAddress;
    const at = now();
    this.state = {
      state: 'registered',
      reason: `${res.status} ${res.reason}`,
      expiresAt: at + granted * 1000,
      nextAt: at + delayMs,
    };
    this.timer = this.clock.setTimeout(() => this.register(), delayMs);
  }

  /** RFC 3261 §10.2.4: the time of our own Contact among all that are there, else Expires, else what was asked for. */
  private grantedSec(res: SrfResponse): number {
    const contacts = headerList(res, 'contact').map((value) => parseContact(value));
    const own = contacts.find(
      (contact) => contact && parseUri(contact.uri)?.user === this.options.contactUser,
    );
    const ofContact = Number(own?.params.get('expires') ?? Number.NaN);
    if (ofContact > 0) return ofContact;
    const ofHeader = headerNumber(res, 'expires') ?? Number.NaN;
    return ofHeader > 0 ? ofHeader : this.expiresSec;
  }

  /** RFC 3261 §10.2.8: as long as the registrar wants; false when that says nothing new. */
  private raiseExpires(res: SrfResponse): boolean {
    const least = headerNumber(res, 'min-expires') ?? 0;
    if (!(least > this.expiresSec) || least > MAX_EXPIRES_SEC) return false;
    this.expiresSec = least;
    return true;
  }

  private onFailed(status: number, reason: string, afterMs = 0): void {
    if (this.isStopped) return;
    const { trunk } = this.options;
    const wasRegistered = this.state.state === 'registered';
    const isNews = this.state.state !== 'failed' || this.state.reason !== reason;
    this.failures++;
    const delayMs = Math.max(afterMs, retryDelayMs(this.failures, status, Math.random()));
    if (isNews) this.log.warn({ trunk, reason, delayMs }, 'not registered with a trunk, will retry');
    const { expiresAt } = this.state;
    const now = this.clock.now();
    const isStillThere = wasRegistered && status === 0 && expiresAt !== undefined && expiresAt > now;
    if (!isStillThere) this.alarms.state('TRUNK_UNREGISTERED', trunk, true, reason);
    this.state = {
      state: isStillThere ? 'registered' : 'failed',
      reason,
      nextAt: now + delayMs,
      ...(isStillThere && { expiresAt }),
    };
    this.timer = this.clock.setTimeout(() => this.register(), delayMs);
  }
}

const ignore = (): void => undefined;

/** RFC 3261 §20.33; at most an hour is believed. */
function retryAfterMs(res: SrfResponse): number {
  const seconds = Number.parseInt(header(res, 'retry-after') ?? '', 10);
  return seconds > 0 ? Math.min(seconds, 3600) * 1000 : 0;
}
