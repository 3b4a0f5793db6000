import type { MediaSide } from '../media/types.js';
import type { Clock } from '../platform/clock.js';
import { errorMessage } from '../platform/errors.js';
import type { LegLimits } from '../routing/leg-limits.js';
import type { CodecPolicy } from '../sdp/codec-policy.js';
import { rejectOffer } from '../sdp/reject-offer.js';
import { cseqNumber, header, headerList, party } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfAck, SrfEngine, SrfHandler, SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { parseContact } from '../sip/contact.js';
import { parseNameAddr } from '../sip/name-addr.js';
import { reasonPhrase } from '../sip/reason-phrases.js';
import { ClientRequest } from './client-request.js';
import type { NoResponseError } from './errors.js';
import type { CalleeTarget, LegFailure } from './fork-outcome.js';
import { betterInvitation, type Invitation } from './invitation.js';
import {
  answerCrossingUpdate,
  type CalleeLeg,
  type DialogTags,
  type Leg,
  type LegEnding,
  type LegPlace,
  parseAllow,
} from './leg.js';
import { dialogIdOf, LegDialog } from './leg-dialog.js';
import { offered } from './offered.js';
import { offerSession, type SessionPolicy } from './session-policy.js';
import { savedPlace } from './survival/save-call.js';
import type { SavedLeg } from './survival/saved-call.js';
import type { Trail } from './trail.js';
import type { TrunkGateway, TrunkPlace } from './trunk-port.js';

/** What a B leg tells whoever rings it. After `onFailure` nothing more comes; `onAnswer` comes at most once. */
export interface BLegUser {
  /** The INVITE is on the wire and the dialog has its id. */
  onSent(leg: BLeg): void;
  onProvisional(leg: BLeg, res: SrfResponse): void;
  /** A 2xx, not acknowledged yet: `acknowledge` or `end` must follow. */
  onAnswer(leg: BLeg, res: SrfResponse): void;
  onFailure(leg: BLeg, failure: LegFailure): void;
}

type BLegState = 'calling' | 'cancelling' | 'answered' | 'confirmed' | 'ended';

export interface BLegDeps {
  readonly engine: Pick<SrfEngine, 'request'>;
  readonly clock: Clock;
  readonly trail: Trail;
  readonly session: SessionPolicy;
  /** Takes an UPDATE that srf brings up on a request of ours, once there is a dialog. */
  onRequest(leg: BLeg, req: SrfRequest, res: SrfResponse): void;
}

/** Of a leg that is answered already. */
const NOBODY: BLegUser = {
  onSent: () => undefined,
  onProvisional: () => undefined,
  onAnswer: () => undefined,
  onFailure: () => undefined,
};

/** One phone of the callee: we are the UAC of the INVITE to it (RFC 3261 §13.2). */
export class BLeg implements CalleeLeg {
  side: MediaSide = 'b';
  party: Leg['party'] = 'CALLEE';
  callId = '';
  dialogId: string | undefined;
  userAgent: string | undefined;
  tags: DialogTags = {};
  /** Last description that came in a provisional response. */
  earlySdp: string | undefined;

  private state: BLegState = 'calling';
  /** Where it was sent; a name until that is known. */
  private address: string;
  private place: TrunkPlace | undefined;
  private invite: ClientRequest | undefined;
  private ack: SrfAck | undefined;
  private confirmed: LegDialog | undefined;
  private allowed: ReadonlySet<string> | undefined;
  private settleEnd: (() => void) | undefined;
  private hasResult = false;
  private isLateOffer = false;
  private rejection: string | undefined;
  /** The INVITE that is open. */
  private open: Invitation | undefined;

  constructor(
    public name: string,
    readonly target: CalleeTarget,
    private deps: BLegDeps,
    private readonly user: BLegUser,
  ) {
    const { local } = target;
    if (local) this.deps = { ...deps, engine: local.engine, trail: deps.trail.withoutMessages() };
    this.address = target.address;
  }

  /** A phone that answered in an earlier process; its dialog is there once it has been moved to its place. */
  static restored(saved: SavedLeg, deps: BLegDeps, trunk: TrunkGateway | undefined): BLeg {
    const { name, dialogId, callId, userAgent, allowed } = saved;
    const target = { ...(saved.target as CalleeTarget), ...(trunk && { trunk }) };
    const leg = new BLeg(name, target, deps, NOBODY);
    leg.place = trunk?.take();
    leg.dialogId = dialogId;
    leg.callId = callId;
    leg.userAgent = userAgent;
    leg.allowed = allowed && new Set(allowed);
    leg.hasResult = true;
    leg.state = 'confirmed';
    leg.confirmed = leg.makeDialog(dialogId);
    return leg;
  }

  /** What a restart must not lose; undefined while there is no dialog. */
  save(): SavedLeg | undefined {
    const { dialogId, callId, userAgent, allowed, address } = this;
    if (dialogId === undefined || this.target.local) return undefined;
    const { trunk, ...target } = this.target;
    return {
      role: 'uac',
      ...savedPlace(this),
      dialogId,
      callId,
      target: { ...target, address },
      ...(trunk && { trunk: trunk.name }),
      ...(userAgent !== undefined && { userAgent }),
      ...(allowed && { allowed: [...allowed] }),
    };
  }

  get peer(): { signallingAddress: string } {
    return { signallingAddress: this.address };
  }

  get codecs(): CodecPolicy | undefined {
    return this.target.trunk?.codecs;
  }

  get limits(): LegLimits | undefined {
    return this.target.limits;
  }

  get isFocus(): boolean {
    return this.target.room !== undefined;
  }

  get dialog(): LegDialog | undefined {
    return this.confirmed;
  }

  movedTo(address: string): void {
    this.address = address;
  }

  allows(method: string): boolean {
    return this.allowed?.has(method) ?? true;
  }

  /** Sends the INVITE; without `body` it asks the phone for the offer. */
  call(headers: OutgoingHeaders, body: string | undefined, timeoutMs: number): void {
    this.isLateOffer = body === undefined;
    const { trunk } = this.target;
    this.place = trunk?.take();
    if (trunk && !this.place) {
      // Others took the last places after it was chosen.
      this.failSoon(503, 'Trunk Is Full', { cause: 'trunks-full' });
      return;
    }
    let offer = body;
    try {
      offer = body && offered(body, this);
    } catch (error) {
      this.failSoon(488, errorMessage(error));
      return;
    }
    const { session } = this.deps;
    const own = { ...this.target.headers, ...offerSession(session, this.limits?.sessionSec) };
    this.send({ headers: { ...headers, ...own }, body: offer, timeoutMs, tries: 1 });
  }

  /** It comes to nothing before anything is sent. */
  private failSoon(status: number, reason: string, named: Pick<LegFailure, 'cause'> = {}): void {
    queueMicrotask(() => {
      if (this.state !== 'calling') return;
      this.attempt();
      this.onRefused({ status, reason, isLocal: true, reasonHeader: undefined, ...named });
    });
  }

  private send(invitation: Invitation): void {
    const { engine, clock, trail } = this.deps;
    const { headers, body, timeoutMs } = invitation;
    this.open = invitation;
    const { uri, nextHop, trunk } = this.target;
    trail.request(this.name, true, 'INVITE', body);
    const request = { method: 'INVITE', uri, headers, timeoutMs };
    this.invite = new ClientRequest(
      engine,
      clock,
      {
        ...request,
        ...(nextHop !== undefined && { proxy: nextHop }),
        ...(body && { body }),
        ...(trunk && { answerChallenge: trunk.answerChallenge }),
      },
      {
        onSent: (sent) => this.onSent(sent),
        onProvisional: (res, ack) => this.onProvisional(res, ack),
        onChallenge: ({ status, reason }) => {
          trail.response(this.name, false, status, reason, 'INVITE');
          trail.request(this.name, true, 'INVITE', body);
        },
        onFinal: (res, ack) => this.onFinal(res, ack),
        onFailure: (error) => this.onNoResponse(error),
        onUpdate: answerCrossingUpdate,
      },
    );
  }

  /** ACKs the 2xx, with the answer in a late-offer call, and makes the dialog usable. */
  acknowledge(body?: string): void {
    if (this.state !== 'answered' || this.dialogId === undefined) return;
    this.state = 'confirmed';
    this.deps.trail.request(this.name, true, 'ACK', body);
    this.ack?.(body ? { body } : {});
    this.confirmed = this.makeDialog(this.dialogId);
  }

  moveTo({ name, side, party: role, trail, onRequest }: LegPlace): void {
    this.name = name;
    this.side = side;
    this.party = role;
    const own = this.target.local ? trail.withoutMessages() : trail;
    this.deps = { ...this.deps, trail: own, onRequest: (_leg, req, res) => onRequest(req, res) };
    if (this.confirmed) this.confirmed = this.makeDialog(this.confirmed.id);
  }

  private makeDialog(dialogId: string): LegDialog {
    const { engine, clock, trail } = this.deps;
    const onRequest: SrfHandler = (req, res) => this.deps.onRequest(this, req, res);
    const { trunk } = this.target;
    return new LegDialog(dialogId, 'us', this.name, engine, clock, trail, onRequest, trunk?.answerChallenge);
  }

  ended(): void {
    this.state = 'ended';
    this.confirmed = undefined;
    this.place?.release();
  }

  async end(ending: LegEnding): Promise<void> {
    switch (this.state) {
      case 'calling':
        return this.cancel(ending);
      case 'answered':
        // RFC 3261 §13.2.2.4: a 2xx is acknowledged even when the call is not wanted any more.
        this.acknowledge(this.rejection);
        return this.end(ending);
      case 'confirmed': {
        const dialog = this.confirmed;
        this.ended();
        await dialog?.bye(ending.headers);
        return;
      }
      case 'cancelling':
      case 'ended':
        return;
    }
  }

  /** CANCEL; resolves when the INVITE has its final response. */
  private cancel({ headers, attemptStatus = 487 }: LegEnding): Promise<void> {
    // Nothing was sent, and nothing will be.
    if (!this.invite) {
      this.ended();
      return Promise.resolve();
    }
    this.state = 'cancelling';
    this.deps.trail.request(this.name, true, 'CANCEL');
    this.result(attemptStatus, reasonPhrase(attemptStatus));
    this.invite.cancel(headers);
    return new Promise((resolve) => {
      this.settleEnd = resolve;
    });
  }

  private onSent(sent: SrfRequest): void {
    const isFirst = this.callId === '';
    this.callId = header(sent, 'call-id') ?? '';
    this.tags = { local: party(sent, 'from').tag };
    this.dialogId = dialogIdOf(this.callId, this.tags.local ?? '');
    const { callId } = this;
    if (this.open)
      this.open = { ...this.open, sent: { from: header(sent, 'from'), callId, seq: cseqNumber(sent) } };
    if (this.target.trunk) this.address = sent.source_address || this.address;
    if (isFirst) this.attempt();
    if (this.state === 'calling') this.user.onSent(this);
  }

  private onProvisional(res: SrfResponse, ack: SrfAck): void {
    this.deps.trail.response(this.name, false, res.status, res.reason, 'INVITE', res.body);
    // We offer 100rel to phones that insist; whoever uses it gets its PRACK (RFC 3262 §4).
    if (header(res, 'rseq') !== undefined) ack();
    this.noteTag(res);
    if (this.state !== 'calling') return;
    if (res.body) this.earlySdp = res.body;
    this.user.onProvisional(this, res);
  }

  private noteTag(res: SrfResponse): void {
    const remote = parseNameAddr(header(res, 'to') ?? '')?.params.get('tag');
    if (remote) this.tags = { ...this.tags, remote };
  }

  private onFinal(res: SrfResponse, ack: SrfAck): void {
    const { status, reason } = res;
    if (this.target.trunk) this.address = res.source_address || this.address;
    this.deps.trail.response(this.name, false, status, reason, 'INVITE', res.body);
    this.ack = ack;
    if (res.stackDialogId) this.dialogId = res.stackDialogId;
    this.noteTag(res);
    this.allowed = parseAllow(header(res, 'allow'));
    this.userAgent = header(res, 'user-agent') ?? header(res, 'server');
    if (status < 300) this.onSuccess(res);
    else if (!this.tryBetter(res))
      this.onRefused({
        status,
        reason,
        isLocal: res.source_address === '',
        reasonHeader: header(res, 'reason'),
        ...this.deflection(res),
        ...this.ownCause(),
      });
  }

  /** Sends the INVITE again, better, when the refusal says how. */
  private tryBetter(res: SrfResponse): boolean {
    const better = this.state === 'calling' && this.open && betterInvitation(this.open, res);
    if (better) this.send(better);
    return !!better;
  }

  /** Where a 3xx wants the call to go, if this phone may say so (RFC 3261 §8.1.3.4). */
  private deflection(res: SrfResponse): Pick<LegFailure, 'deflectTo'> {
    if (!this.target.mayDeflect || res.status < 300 || res.status > 399) return {};
    const uri = parseContact(headerList(res, 'contact')[0] ?? '')?.uri;
    return uri === undefined ? {} : { deflectTo: uri };
  }

  private ownCause(): Pick<LegFailure, 'cause'> {
    const cause = this.target.local?.refusal;
    return cause === undefined ? {} : { cause };
  }

  private onSuccess(res: SrfResponse): void {
    const isTooLate = this.state !== 'calling';
    this.state = 'answered';
    // RFC 3261 §13.2.2.4: the ACK of a 2xx with an offer holds an answer, even when the call is not wanted.
    if (this.isLateOffer && res.body) this.rejection = rejectOffer(res.body);
    this.result(res.status, res.reason);
    if (!isTooLate) {
      this.user.onAnswer(this, res);
      return;
    }
    // RFC 3261 §9.1: the 2xx crossed our CANCEL, so the call is there and has to be ended.
    this.acknowledge(this.rejection);
    const dialog = this.confirmed;
    this.ended();
    void dialog?.bye({}).then(() => this.settleEnd?.());
  }

  private onNoResponse(error: NoResponseError): void {
    const status = error.cause === undefined ? 408 : 503;
    if (this.callId === '') this.attempt();
    this.onRefused({ status, reason: error.message, isLocal: true, reasonHeader: undefined });
  }

  private onRefused(failure: LegFailure): void {
    const wasCalling = this.state === 'calling';
    this.ended();
    this.settleEnd?.();
    this.result(failure.status, failure.reason);
    if (wasCalling) this.user.onFailure(this, failure);
  }

  private attempt(): void {
    const { uri, port, transport, trunk } = this.target;
    const { name, address, callId } = this;
    const event = { kind: 'attempt', leg: name, contact: uri, address, port, transport, callId } as const;
    this.deps.trail.add({ ...event, ...(trunk && { trunk: trunk.name }) });
  }

  /** Notes how the attempt ended, once. */
  private result(status: number, reason: string): void {
    if (this.hasResult) return;
    this.hasResult = true;
    this.deps.trail.add({ kind: 'attempt-ended', leg: this.name, status, reason });
  }
}
