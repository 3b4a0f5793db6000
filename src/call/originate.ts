import type { User } from '../accounts/types.js';
import type { OpenRecord, RecordService } from '../cdr/types.js';
import { limitsOf } from '../routing/leg-limits.js';
import { normaliseNumber } from '../routing/number.js';
import { party } from '../signalling/request.js';
import type { SrfEngine } from '../signalling/srf-types.js';
import { escapeUser } from '../sip/escape.js';
import { ALeg } from './a-leg.js';
import { refusalOf } from './admission.js';
import { Call } from './call.js';
import type { CallDeps } from './call-deps.js';
import { isBadDescription } from './call-media.js';
import { CallRefusedError } from './errors.js';
import { CallRouter } from './route-call.js';
import { type CallerStandIn, StandInInvite } from './stand-in.js';

/** A call that the server begins itself. */
export interface Origination {
  /** The subscriber that calls: its rights and its number count. */
  readonly user: User;
  /** Whom it calls, as it would dial; feature codes cannot be called. */
  readonly to: string;
  /** Who wants the call, for its record: a subscriber, an operator, a service. */
  readonly by: string;
  /** What asked for it, for the record: `REFER`, `MML`… */
  readonly method: string;
  /** Of the request that asked for it, where there is one. */
  readonly callId: string;
  readonly cseq?: number;
  readonly from?: { readonly address: string; readonly port: number; readonly transport: string };
  readonly userAgent?: string;
}

/**
 * A stand-in may have a phone take a second offer: Timer B (RFC 3261 §17.1.1.2) of each of its four tries, 128 s, and the three waits
 * after 491, 12 s at most. The end of the call ends it sooner; only a phone that draws out its tries by provisionals gets here.
 */
const ANSWER_TIMEOUT_MS = 150_000;

export interface OriginateDeps {
  readonly call: CallDeps;
  readonly records: Pick<RecordService, 'begin'>;
  readonly maxCalls: number;
  isDraining(): boolean;
}

/** Begins calls of the server's own (RFC 3725 §4). */
export interface Originator {
  /**
   * Begins a call: first the caller's side, `standIn`, describes what it talks with, then the callee is looked for as for any
   * call. The call has its record from the start, and ends like any other; a failure is told by `standIn.refused`.
   */
  originate(origination: Origination, standIn: CallerStandIn): Call;
}

/** See `Originator.originate`. */
export function originate(deps: OriginateDeps, task: Origination, standIn: CallerStandIn): Call {
  const { user, to } = task;
  const { address = '', port = 0, transport = '' } = task.from ?? {};
  const callerUri = `sip:${escapeUser(user.username)}@${user.realm}`;
  const record = openRecord(deps, task, callerUri);
  const invite = new StandInInvite(
    {
      method: task.method,
      callId: task.callId,
      callerUri,
      callerName: user.displayName,
      dialledUri: `sip:${escapeUser(to)}@${user.realm}`,
      address,
      port,
      transport,
    },
    standIn,
  );
  const { registry, clock, session } = deps.call;
  const engine = invite.engine as SrfEngine;
  const leg = new ALeg(invite.req, invite.req.res, { engine, clock, session, answerMs: ANSWER_TIMEOUT_MS });
  leg.limits = limitsOf(user.features ?? {}) ?? {};
  const parties = { caller: user.username, callee: to, dialled: to };
  const call = new Call(deps.call, withoutItsMessages(record), leg, parties);
  call.caller = user.username;
  registry.add(call);
  begin(deps, task, standIn, call, invite).catch((error: unknown) => {
    const { refusal, headers, phrase } = refusalOf(error);
    if (refusal.name === 'server-error') call.log.error({ err: error }, 'a call could not be begun');
    call.conclude({ cause: refusal, by: 'SERVER', headers, ...(phrase !== undefined && { phrase }) });
  });
  return call;
}

async function begin(
  deps: OriginateDeps,
  { user, to }: Origination,
  standIn: CallerStandIn,
  call: Call,
  invite: StandInInvite,
): Promise<void> {
  if (deps.isDraining()) throw new CallRefusedError('server-draining', 'no new calls while draining');
  if (deps.call.registry.size > deps.maxCalls)
    throw new CallRefusedError('server-overloaded', 'too many calls');
  const number = normaliseNumber(to);
  if (!number) throw new CallRefusedError('address-incomplete', 'no number to call');
  const description = await standIn.offer(call);
  if (call.isEnding) return;
  invite.describe(description);
  const { req } = invite;
  const routed = { req, from: party(req, 'from'), user, scheme: 'tel', host: '', number, isOriginated: true };
  const plan = await new CallRouter(deps.call.router, routed, call).route();
  if (!plan || call.isEnding) return;
  const offer = await call.media.offer('a', description, call.near.peer).catch((error: unknown) => {
    if (isBadDescription(error)) throw new CallRefusedError('offer-not-acceptable', (error as Error).message);
    throw error;
  });
  // No phone has to acknowledge our answer.
  call.a.isAcknowledged = true;
  if (!call.isEnding) call.dial(plan, offer);
}

function openRecord({ records }: OriginateDeps, task: Origination, callerUri: string): OpenRecord {
  const { user, to, by, method, callId, cseq = 0, from, userAgent } = task;
  const record = records.begin('CALL');
  record.add({
    kind: 'received',
    method,
    callId,
    cseq,
    callerUri,
    callerNumber: user.username,
    ...(user.displayName && { callerName: user.displayName }),
    dialledNumber: to,
    address: from?.address ?? '',
    port: from?.port ?? 0,
    transport: from?.transport ?? '',
    ...(userAgent !== undefined && { userAgent }),
  });
  record.add({ kind: 'originated', by });
  return record;
}

/** What the one who asked for the call by REFER sees of it. */
const REAL_MESSAGE = /\b(?:REFER|NOTIFY)\b/;

/** The ladder shows what was on the wire, and nothing that a stand-in was told is. */
function withoutItsMessages(record: OpenRecord): OpenRecord {
  return {
    id: record.id,
    get timeline() {
      return record.timeline;
    },
    add: (event) => {
      const isHidden = event.kind === 'message' && event.leg === 'a' && !REAL_MESSAGE.test(event.summary);
      if (!isHidden) record.add(event);
    },
    keep: (state) => record.keep(state),
    finish: () => record.finish(),
  };
}
