import type { User } from '../accounts/types.js';
import type { LeftRecord, RecordService } from '../cdr/types.js';
import type { MediaRelay } from '../media/types.js';
import { type Clock, systemClock } from '../platform/clock.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import { normaliseNumber } from '../routing/number.js';
import type { SignallingConnection } from '../signalling/connection.js';
import { answerStray } from '../signalling/fallbacks.js';
import type { SipHandler } from '../signalling/handle.js';
import type { LocalNames } from '../signalling/local-names.js';
import { hasToTag, header, party } from '../signalling/request.js';
import { respondOnly } from '../signalling/respond.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { ALeg } from './a-leg.js';
import { ADMISSION_STEPS, type AdmissionDeps, type Attempt, dialled, refusalOf } from './admission.js';
import { Announcer, type AnnouncerParts } from './announcing.js';
import { Call } from './call.js';
import type { CallDeps } from './call-deps.js';
import { type CallDialog, dialogsOf } from './call-dialogs.js';
import { CallRegistry } from './call-registry.js';
import { LiveCallService } from './call-service.js';
import { causeOf } from './causes.js';
import { ClickToCall } from './click-to-call.js';
import type { ConferencePort } from './conference-port.js';
import { type OriginateDeps, type Origination, type Originator, originate } from './originate.js';
import { OrphanedDialogs } from './orphaned-dialogs.js';
import { type DirectoryParts, HuntMemory, type Numbering } from './route-directory.js';
import { RouteTester } from './route-test.js';
import type { CallRouterOptions } from './routed-invite.js';
import type { SessionPolicy } from './session-policy.js';
import type { SilencePolicy } from './silence.js';
import type { CallerStandIn } from './stand-in.js';
import { CallRestorer } from './survival/call-restorer.js';
import { CallSaver } from './survival/call-saver.js';
import type { TrunkPort } from './trunk-port.js';
import type { CallService, ClickService, RouteService } from './types.js';

/** Bounds of call control; each may be left out. */
export interface CallLimits {
  /** Calls at once; more hear 503. Default 5000. */
  readonly maxCalls?: number;
  /** Phones of one user that ring at once. Default 10. */
  readonly maxTargets?: number;
  /** How long a callee's phones may ring, milliseconds, default 60000; then they are cancelled and the caller hears 480. */
  readonly noAnswerMs?: number;
  /** How long a call may look for somebody who answers, forwardings included, milliseconds, default 180000. */
  readonly searchMs?: number;
  /** Longest call, answer to end, seconds; default 0: no limit but those of users. */
  readonly maxDurationSec?: number;
  /** Session timers; default: what phones ask for, from 90 s on. */
  readonly session?: SessionPolicy;
  /** Calls without media; default: they go on. */
  readonly silence?: SilencePolicy;
  /** How often the phones of a call are asked whether they are still in it, milliseconds; default 0: never. */
  readonly checkMs?: number;
}

/** How calls outlive this process. */
export interface CallSurvival {
  /** Records of the calls that were up when the last process ended. */
  left(): readonly LeftRecord[];
  /** Calls that were away for longer are over, milliseconds. */
  readonly maxAwayMs: number;
}

export interface CallControlOptions extends Pick<DirectoryParts, 'users' | 'registrations'> {
  readonly authenticator: AdmissionDeps['authenticator'];
  /** Hunt groups and short numbers; without it there are none. */
  readonly numbering?: Numbering;
  readonly connection: SignallingConnection;
  readonly relay: MediaRelay;
  readonly records: RecordService;
  /** Names by which peers may call this server in URIs; without it every host is taken as ours. */
  readonly names?: LocalNames;
  /** Domain of the numbers here, default `ims`. */
  readonly realm?: string;
  /** Host in From and To towards the callee, default `localhost`, for which the engine puts its own address. */
  readonly identityHost?: string;
  /** Who takes requests outside calls, by method; those without a taker are refused. SUBSCRIBE goes there with a To tag too. */
  readonly outside?: Readonly<Partial<Record<'MESSAGE' | 'SUBSCRIBE' | 'PUBLISH', SipHandler>>>;
  /** Tells callers why their calls fail; without it they fail in silence. */
  readonly announcer?: AnnouncerParts;
  /** The ways to and from outside; without it there are none. */
  readonly trunks?: TrunkPort;
  /** Conference rooms; without it no number is one. */
  readonly conferences?: ConferencePort;
  /** Calls that are up when this process ends go on in the next one; absent: they end. */
  readonly survival?: CallSurvival;
  readonly limits?: CallLimits;
  readonly clock?: Clock;
  readonly log: Logger;
}

/** Call control as the composition root holds it. */
export interface CallControl extends CallService, Originator, ClickService, Closeable {
  /** Says where calls would go. */
  readonly routes: RouteService;
  /**
   * Calls `watcher` for each call that is up, and after every change of one, with its subscribers' sides; none at its end.
   * Returns what ends that. The watcher must not throw.
   */
  watch(watcher: (id: string, dialogs: readonly CallDialog[]) => void): () => void;
  /**
   * Rings a subscriber's phones and calls a number for it when one answers (RFC 3725 §4.1), for an operator, `by`. The call has its
   * record whatever becomes of it.
   */
  callFor(user: User, to: string, by: string): Call;
  /** Draining: new INVITEs hear 503 with Retry-After, calls that are up go on. */
  setDraining(draining: boolean): void;
}

/** Methods that call control takes from the engine. Outside a dialog it serves INVITE, OPTIONS and REFER; others as `outside` says. */
export const CALL_METHODS = [
  'INVITE',
  'ACK',
  'BYE',
  'UPDATE',
  'PRACK',
  'INFO',
  'NOTIFY',
  'REFER',
  'MESSAGE',
  'SUBSCRIBE',
  'PUBLISH',
  'OPTIONS',
] as const;

/** Allow of our INVITEs, of their answers and of OPTIONS: what a call's dialog takes (RFC 3261 §20.5). */
const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, MESSAGE, REFER';

/** Starts call control on a connection to an engine. Its requests are taken until `close`, which ends all calls. */
export function createCallControl(options: CallControlOptions): CallControl {
  const control = new EngineCallControl(options);
  control.start();
  return control;
}

/** The same, and the calls of the last process go on before a request in one of their dialogs is taken. Never rejects. */
export async function resumeCallControl(options: CallControlOptions): Promise<CallControl> {
  const control = new EngineCallControl(options);
  await control.restore();
  control.start();
  return control;
}

/** When to ask again after 503, seconds (RFC 3261 §20.33). */
const RETRY_AFTER_SEC = 10;

class EngineCallControl extends LiveCallService implements CallControl {
  readonly routes: RouteService;
  private isDraining = false;
  private isClosed = false;
  private readonly callDeps: CallDeps;
  private readonly admission: AdmissionDeps;
  private readonly orphans: OrphanedDialogs;
  private readonly originateDeps: OriginateDeps;
  private readonly clickToCall: ClickToCall;
  private unwatch: () => void = () => undefined;

  constructor(private readonly options: CallControlOptions) {
    const registry = new CallRegistry();
    super(registry);
    const { connection, relay, log, limits = {} } = options;
    const clock = options.clock ?? systemClock;
    const engine = connection.srf;
    const memory = new HuntMemory();
    const router = this.routerOptions(registry, memory);
    this.routes = new RouteTester(options.users, router);
    this.callDeps = {
      engine,
      clock,
      log,
      relay,
      registry,
      memory,
      router,
      // Limits may change while running: each is read when it is used.
      get searchMs() {
        return Math.max(limits.searchMs ?? 180_000, limits.noAnswerMs ?? 0);
      },
      get checkMs() {
        return limits.checkMs ?? 0;
      },
      session: limits.session ?? { intervalSec: 0, minSec: 90 },
      silence: limits.silence ?? { silenceSec: 0, of: 'both', whenHeld: false },
      ...(options.survival && { saver: new CallSaver(clock, log) }),
      allow: ALLOW,
      ...(options.announcer && { announcer: new Announcer(options.announcer) }),
    };
    this.admission = {
      authenticator: options.authenticator,
      trunks: options.trunks,
      router,
      get maxCalls() {
        return limits.maxCalls ?? 5000;
      },
      session: this.callDeps.session,
      calls: this.callDeps,
      clock,
      isDraining: () => this.isDraining || this.isClosed,
      activeCalls: () => registry.size,
      isKnownDialog: (dialogId) => registry.find(dialogId) !== undefined,
    };
    this.originateDeps = {
      call: this.callDeps,
      records: options.records,
      get maxCalls() {
        return limits.maxCalls ?? 5000;
      },
      isDraining: () => this.admission.isDraining(),
    };
    const { authenticator } = options;
    this.clickToCall = new ClickToCall({
      ...this.originateDeps,
      get maxCalls() {
        return limits.maxCalls ?? 5000;
      },
      authenticator,
      routes: this.routes,
    });
    this.orphans = new OrphanedDialogs(engine, clock);
  }

  /** Takes requests from now on. */
  start(): void {
    const { connection } = this.options;
    for (const method of CALL_METHODS) connection.on(method, this.handlerFor(method));
    this.unwatch = connection.onStateChange((connected) => this.onEngineState(connected));
  }

  /** Brings back the calls of the last process. */
  async restore(): Promise<void> {
    const { survival } = this.options;
    if (!survival) return;
    const { left, maxAwayMs } = survival;
    await new CallRestorer({ deps: this.callDeps, maxAwayMs }).restore(left());
  }

  setDraining(draining: boolean): void {
    this.isDraining = draining;
  }

  watch(watcher: (id: string, dialogs: readonly CallDialog[]) => void): () => void {
    return this.registry.watch((call) => watcher(call.id, dialogsOf(call, this.registry.shown)));
  }

  async connect(from: string, to: string, by: string): Promise<string | undefined> {
    const user = await this.options.users.authData(from);
    const number = normaliseNumber(to)?.number ?? to;
    return user && this.clickToCall.connect(user, number, by).id;
  }

  originate(origination: Origination, standIn: CallerStandIn): Call {
    return originate(this.originateDeps, origination, standIn);
  }

  callFor(user: User, to: string, by: string): Call {
    return this.clickToCall.connect(user, to, by);
  }

  /** Ends every call with BYE or 503, but those that go on in the next process; resolves when their records are closed. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.unwatch();
    const { saver } = this.callDeps;
    const cause = causeOf('server-shutdown');
    await Promise.allSettled(
      this.registry
        .list()
        .map((call) => (saver?.save(call) ? call.leave() : call.end({ cause, by: 'SERVER' }))),
    );
  }

  private routerOptions(registry: CallRegistry, memory: HuntMemory): CallRouterOptions {
    const { users, registrations, numbering, names, limits = {}, identityHost = 'localhost' } = this.options;
    const { trunks, conferences, realm = 'ims' } = this.options;
    const clock = this.options.clock ?? systemClock;
    return {
      directory: { users, registrations, registry, numbering, memory, trunks, conferences },
      users,
      trunks,
      realm,
      isLocalHost: (host) => names?.has(host) ?? true,
      identityHost,
      maxTargets: limits.maxTargets ?? 10,
      get ringMs() {
        return limits.noAnswerMs ?? 60_000;
      },
      get maxDurationSec() {
        return limits.maxDurationSec || Number.POSITIVE_INFINITY;
      },
      now: () => clock.now(),
    };
  }

  private handlerFor(method: string): SipHandler {
    return (req, res) => {
      const endpoint = req.stackDialogId ? this.registry.find(req.stackDialogId) : undefined;
      if (endpoint) return endpoint.call.onRequest(endpoint.leg, req, res);
      // The engine's own BYE of a call that is over wants no answer.
      if (req.source === 'application') return;
      const taker = this.options.outside?.[method as 'MESSAGE'];
      if (taker && (method === 'SUBSCRIBE' || !hasToTag(req))) return taker(req, res);
      if (method === 'REFER' && !hasToTag(req)) return this.clickToCall.handle(req, res);
      // RFC 3261 §11.2: as an INVITE would be answered.
      if (method === 'OPTIONS' && this.admission.isDraining() && !hasToTag(req))
        return respondOnly(res, 503, { headers: { 'Retry-After': RETRY_AFTER_SEC } });
      if (method !== 'INVITE' || req.stackDialogId) return answerStray(req, res);
      return this.isClosed ? respondOnly(res, 503) : this.onInvite(req, res);
    };
  }

  private async onInvite(req: SrfRequest, res: SrfResponse): Promise<void> {
    const attempt = this.attempt(req, res);
    try {
      for (const step of ADMISSION_STEPS) {
        await step(this.admission, attempt);
        if (attempt.isChallenged || attempt.isOver()) return;
      }
    } catch (error) {
      const refusal = refusalOf(error);
      const call = attempt.open();
      const { log } = call;
      if (refusal.refusal.name === 'server-error')
        log.error({ err: error }, 'an INVITE could not be handled');
      else log.debug({ reason: refusal.message }, 'call refused');
      const { headers, phrase } = refusal;
      const by = refuser(refusal.refusal.name);
      call.conclude({ cause: refusal.refusal, by, headers, ...(phrase !== undefined && { phrase }) });
    }
  }

  private attempt(req: SrfRequest, res: SrfResponse): Attempt & { isOver(): boolean } {
    const leg = new ALeg(req, res, this.callDeps);
    const from = party(req, 'from');
    const { uri, number } = dialled(req);
    let call: Call | undefined;
    const open = (): Call => {
      call ??= this.open(attempt, number?.number ?? uri?.user ?? req.uri);
      return call;
    };
    const attempt: Attempt = { req, res, leg, from, uri, number, open };
    this.registry.watchCancel(req, (cancel) => {
      leg.isCancelled = true;
      call?.onCancel(cancel);
    });
    return Object.assign(attempt, { isOver: () => call?.isEnding ?? false });
  }

  /** Opens the record and the call: from here on the attempt leaves a record, whatever its end. */
  private open({ req, leg, from, user, trunk }: Attempt, called: string): Call {
    const { address } = leg;
    const record = this.options.records.begin('CALL');
    // A caller that hides its name is known to us all the same.
    const callerNumber =
      trunk?.caller ?? user?.username ?? /^[^:]+:([^@;>]+)@/.exec(from.uri)?.[1] ?? from.uri;
    const dialledNumber = trunk?.dialled ?? called;
    const userAgent = header(req, 'user-agent');
    record.add({
      kind: 'received',
      method: 'INVITE',
      callId: leg.callId,
      cseq: leg.cseq,
      callerUri: from.uri,
      callerNumber,
      ...(from.displayName && { callerName: from.displayName }),
      dialledNumber,
      address: address.address,
      port: address.port,
      transport: address.protocol,
      ...(userAgent !== undefined && { userAgent }),
      ...(trunk && { trunkIn: trunk.trunk }),
    });
    const parties = { caller: callerNumber, callee: dialledNumber, dialled: dialledNumber };
    const call = new Call(this.callDeps, record, leg, parties);
    call.trail.request('a', false, 'INVITE', req.body);
    this.registry.add(call);
    if (leg.isCancelled) call.onCancel();
    return call;
  }

  /** The engine went away: no request of these dialogs will come any more, so the calls are over (README, "Engine lost"). */
  private onEngineState(connected: boolean): void {
    if (connected) {
      this.orphans.hangUp();
      return;
    }
    const cause = causeOf('engine-lost');
    for (const call of this.registry.list()) {
      this.orphans.add(call);
      call.conclude({ cause, by: 'SERVER' });
    }
  }
}

/** Who a refusal is put down to: the caller for what it sent, else the server. */
function refuser(name: string): 'CALLER' | 'CALLEE' | 'SERVER' {
  const isCallers = ['request-malformed', 'extension-required', 'body-unsupported', 'offer-not-acceptable'];
  return isCallers.includes(name) ? 'CALLER' : 'SERVER';
}
