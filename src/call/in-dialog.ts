import { header } from '../signalling/request.js';
import { type OutgoingHeaders, respondOnly } from '../signalling/respond.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { reasonPhrase } from '../sip/reason-phrases.js';
import { ALeg } from './a-leg.js';
import type { Call } from './call.js';
import type { CallDeps } from './call-deps.js';
import { type CauseName, causeOf } from './causes.js';
import { byeHeaders, INVITE_EXTENSIONS, unsupportedExtensions } from './header-policy.js';
import type { Leg } from './leg.js';
import { handleMidCall } from './mid-call.js';
import { toldBy } from './release.js';
import { Reoffer, type ReofferHost } from './reoffer.js';
import type { Ringing } from './ringing.js';
import { startTransfer } from './start-transfer.js';

/** Reasons in an engine's own BYE, and what they mean for the record. */
const ENGINE_ENDINGS: Readonly<Record<string, CauseName>> = {
  'ACK timeout': 'ack-timeout',
  'Session timer expired': 'session-expired',
  'CANCEL after 200 OK': 'caller-cancelled',
};

/** RFC 4488. */
const REFER_EXTENSIONS = ['norefersub'];

/** Requests inside the dialogs of one call, from either side (RFC 3261 §12.2.2). */
export class InDialog {
  private readonly reoffer: Reoffer;

  constructor(
    private readonly call: Call & ReofferHost,
    private readonly ringing: Ringing,
    private readonly deps: CallDeps,
  ) {
    this.reoffer = new Reoffer(call);
  }

  /** A new offer is open. */
  get isBusy(): boolean {
    return this.reoffer.isBusy;
  }

  /** The call ends: what is open is closed. */
  abort(): void {
    this.reoffer.abort();
  }

  /** A request of a leg's phone, or the engine's own BYE. */
  handle(leg: Leg, req: SrfRequest, res: SrfResponse): void {
    const { call } = this;
    call.trail.request(leg.name, req.source === 'application', req.method, req.body);
    if (req.method === 'BYE') this.onBye(leg, req, res);
    else if (req.method === 'ACK') this.onAck(leg, req);
    else if (call.isEnding) this.respond(leg, req, res, 481);
    // RFC 3261 §8.2.2.3
    else if (this.missing(req).length > 0)
      this.respond(leg, req, res, 420, { Unsupported: this.missing(req).join(', ') });
    else if (req.method === 'INVITE') this.reoffer.handle(leg, req, res);
    else if (req.method === 'UPDATE') this.onUpdate(leg, req, res);
    else if (req.method === 'REFER') this.onRefer(leg, req, res);
    else handleMidCall(call, leg, req, res).catch((error: unknown) => call.crash(error));
  }

  private missing(req: SrfRequest): string[] {
    return unsupportedExtensions(req, req.method === 'REFER' ? REFER_EXTENSIONS : INVITE_EXTENSIONS);
  }

  /** RFC 3311 §5.2: UPDATE with an offer changes the session; without one it refreshes the target only. */
  private onUpdate(leg: Leg, req: SrfRequest, res: SrfResponse): void {
    if (req.body) this.reoffer.handle(leg, req, res);
    else this.respond(leg, req, res, 200, { Contact: `<${req.uri}>` });
  }

  private onRefer(leg: Leg, req: SrfRequest, res: SrfResponse): void {
    const { status, headers } = startTransfer(this.call, this.deps, leg, req);
    this.respond(leg, req, res, status, headers);
    if (status === 202) this.call.transfer?.begin?.();
  }

  private onAck(leg: Leg, ack: SrfRequest): void {
    const { call } = this;
    if (this.reoffer.acknowledge(leg, ack)) return;
    if (leg !== call.a && leg instanceof ALeg) {
      const { onAck } = leg;
      leg.onAck = undefined;
      onAck?.(ack);
      return;
    }
    const { winner } = call.fork;
    if (leg !== call.a || call.a.isAcknowledged) return;
    call.a.isAcknowledged = true;
    // It picks another call up, and is on its way there.
    if (!winner) return;
    call.connected(winner);
    call.trail.add({ kind: 'acknowledged' });
    if (call.isLateOffer && !call.isEnding)
      this.ringing.answerLate(winner, ack.body).catch((error: unknown) => call.crash(error));
  }

  private onBye(leg: Leg, req: SrfRequest, res: SrfResponse): void {
    const { call } = this;
    const { winner } = call.fork;
    const isEngines = req.source === 'application';
    // A BYE on the caller's dialog proves that the 200 got there.
    if (leg === call.a && winner) call.connected(winner);
    leg.ended();
    if (!isEngines) this.respond(leg, req, res, 200);
    // A phone that lost the race, or left by a transfer, has nothing to say about the call.
    if (leg !== call.near && leg !== winner) return;
    if (call.transfer?.outlives(leg)) return;
    if (leg instanceof ALeg && leg !== call.a && !call.isConnected && !isEngines) {
      call.finish('callee-unavailable', 'CALLEE');
      return;
    }
    // The own phone of a call that the server began, before the callee answered.
    if (leg === call.near && leg !== call.a && !call.isConnected && !isEngines) {
      call.finish('caller-cancelled', 'CALLER');
      return;
    }
    if (isEngines) this.onEngineBye(leg, header(req, 'reason') ?? '');
    else call.conclude({ cause: causeOf('normal-clearing'), by: leg.party, ...toldBy(byeHeaders(req)) });
  }

  /** The engine ended a dialog itself: no ACK came, or a session timer ran out. */
  private onEngineBye(leg: Leg, reason: string): void {
    const text = /text="([^"]*)"/.exec(reason)?.[1] ?? reason;
    this.call.finish(ENGINE_ENDINGS[text] ?? 'dialog-lost', leg.party);
  }

  private respond(
    leg: Leg,
    req: SrfRequest,
    res: SrfResponse,
    status: number,
    headers: OutgoingHeaders = {},
  ): void {
    this.call.trail.response(leg.name, true, status, reasonPhrase(status), req.method);
    respondOnly(res, status, { headers });
  }
}
