import type { User } from '../accounts/types.js';
import { normaliseNumber } from '../routing/number.js';
import { answerStray } from '../signalling/fallbacks.js';
import type { SipHandler } from '../signalling/handle.js';
import { hasToTag } from '../signalling/request.js';
import { respondOnly } from '../signalling/respond.js';
import type { AdmissionDeps } from './admission.js';
import type { Call } from './call.js';
import type { CallControl, CallControlOptions } from './call-control-options.js';
import type { CallDeps } from './call-deps.js';
import { type CallDialog, dialogsOf } from './call-dialogs.js';
import { CallRegistry } from './call-registry.js';
import { LiveCallService } from './call-service.js';
import { causeOf } from './causes.js';
import { ClickToCall } from './click-to-call.js';
import { admissionDeps, callDeps, originateDeps, routerOptions } from './control-parts.js';
import { InviteDesk } from './invite-desk.js';
import { type OriginateDeps, type Origination, originate } from './originate.js';
import { OrphanedDialogs } from './orphaned-dialogs.js';
import { RouteTester } from './route-test.js';
import type { CallerStandIn } from './stand-in.js';
import { CallRestorer } from './survival/call-restorer.js';
import type { RouteService } from './types.js';

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
  private readonly desk: InviteDesk;
  private readonly orphans: OrphanedDialogs;
  private readonly originateDeps: OriginateDeps;
  private readonly clickToCall: ClickToCall;
  private unwatch: () => void = () => undefined;

  constructor(private readonly options: CallControlOptions) {
    const registry = new CallRegistry();
    super(registry);
    const router = routerOptions(options, registry);
    this.routes = new RouteTester(options.users, router);
    const isDraining = (): boolean => this.isDraining || this.isClosed;
    this.callDeps = callDeps(options, registry, router);
    this.admission = admissionDeps(options, this.callDeps, isDraining);
    this.desk = new InviteDesk(this.admission, options.records);
    this.originateDeps = originateDeps(options, this.callDeps, isDraining);
    const { authenticator } = options;
    this.clickToCall = new ClickToCall(
      // No spread: it would read the limits once and for all.
      Object.assign(originateDeps(options, this.callDeps, isDraining), {
        authenticator,
        routes: this.routes,
      }),
    );
    this.orphans = new OrphanedDialogs(this.callDeps.engine, this.callDeps.clock);
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
      return this.isClosed ? respondOnly(res, 503) : this.desk.take(req, res);
    };
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
