import type { MediaSide } from '../media/types.js';
import type { Clock, TimerHandle } from '../platform/clock.js';
import { withDeadline } from '../platform/deadline.js';
import type { LegLimits } from '../routing/leg-limits.js';
import type { CodecPolicy } from '../sdp/codec-policy.js';
import { cseqNumber, header, headerList, type PeerAddress, party, peerOf } from '../signalling/request.js';
import { type OutgoingHeaders, respond, respondOnly } from '../signalling/respond.js';
import type { SrfEngine, SrfHandler, SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { parseContact } from '../sip/contact.js';
import { parseNameAddr } from '../sip/name-addr.js';
import { reasonPhrase } from '../sip/reason-phrases.js';
import type { CalleeTarget } from './fork-outcome.js';
import { hasOption } from './header-policy.js';
import type { DialogTags, Leg, LegEnding, LegPlace } from './leg.js';
import { answerEarlyUpdate, parseAllow } from './leg.js';
import { dialogIdOf, LegDialog } from './leg-dialog.js';
import { answerSession, type SessionPolicy } from './session-policy.js';
import { savedInvite, savedPlace } from './survival/save-call.js';
import type { SavedLeg } from './survival/saved-call.js';
import type { Trail } from './trail.js';
import type { TrunkPlace } from './trunk-port.js';

/** How long the engine may take to say that it has sent the 200. */
const ECHO_TIMEOUT_MS = 5000;
/** RFC 3261 §13.3.1.1: how often a caller that waits is told so; some of it may get lost. */
const REPETITION_MS = 60_000;

/** `trying` until the 200 goes out, `answering` until the engine has sent it, `confirmed` until the end. */
type ALegState = 'trying' | 'answering' | 'confirmed' | 'ended';

export interface ALegDeps {
  readonly engine: SrfEngine;
  readonly clock: Clock;
  readonly session: SessionPolicy;
  /** How long the 200 may take to be delivered, milliseconds; 5 s unless given. */
  readonly answerMs?: number;
}

/**
 * The caller's side, or that of a phone that picks another call up: we are the UAS of its INVITE (RFC 3261 §13.3). The engine sends 100, the 487 after CANCEL, and
 * repeats the 200 until its ACK.
 */
export class ALeg implements Leg {
  name = 'a';
  side: MediaSide = 'a';
  party: Leg['party'] = 'CALLER';
  /** What the account of its user says. */
  limits: LegLimits = {};
  /** Whose phone it is, once it answers a call that it picked up. */
  target: CalleeTarget;
  readonly userAgent: string | undefined;
  readonly earlySdp = undefined;
  /** Called at the ACK of our 200, once; for a phone that picked a call up. */
  onAck: ((ack: SrfRequest) => void) | undefined;
  /** What `acknowledge` does: the re-INVITE to a phone that picked a call up has to be acknowledged. */
  onAcknowledge: ((body?: string) => void) | undefined;
  address: PeerAddress;
  readonly callId: string;
  /** The engine's id of the dialog that our first response makes. */
  readonly dialogId: string;
  readonly cseq: number;
  /** The trunk's, for a call from outside. */
  codecs: CodecPolicy | undefined;
  /** Its place among the calls of the trunk. */
  place: TrunkPlace | undefined;
  tags: DialogTags;
  /** The caller took its INVITE back. */
  isCancelled = false;
  /** The ACK of the 200 came. */
  isAcknowledged = false;

  private state: ALegState = 'trying';
  /** Sends the last provisional again. */
  private repetition: TimerHandle | undefined;
  private confirmed: LegDialog | undefined;
  private readonly allowed: ReadonlySet<string> | undefined;
  private trail: Trail | undefined;
  private onUpdate: SrfHandler = answerEarlyUpdate;

  /** Throws BadRequestError when From, CSeq or Call-ID cannot be used. */
  constructor(
    readonly req: SrfRequest,
    private readonly res: SrfResponse,
    private readonly deps: ALegDeps,
  ) {
    this.address = peerOf(req);
    this.callId = header(req, 'call-id') ?? '';
    this.tags = { remote: party(req, 'from').tag };
    this.dialogId = dialogIdOf(this.callId, this.tags.remote ?? '');
    this.cseq = cseqNumber(req);
    this.userAgent = header(req, 'user-agent');
    const { address, port, protocol } = this.address;
    const uri = parseContact(headerList(req, 'contact')[0] ?? '')?.uri ?? '';
    this.target = { uri, nextHop: undefined, address, port, transport: protocol };
    this.allowed = parseAllow(header(req, 'allow'));
    req.on('update', answerEarlyUpdate);
  }

  /** A leg that was answered in an earlier process; its dialog is there once it has joined a call. */
  static restored(invite: SrfRequest, limits: LegLimits, deps: ALegDeps): ALeg {
    const leg = new ALeg(invite, invite.res, deps);
    leg.limits = limits;
    leg.state = 'confirmed';
    leg.isAcknowledged = true;
    return leg;
  }

  /** Called once it has joined its call. */
  restore(): void {
    this.confirmed = this.makeDialog();
  }

  /** What a restart must not lose. */
  save(): SavedLeg {
    const { dialogId, callId, userAgent, allowed, req } = this;
    return {
      role: 'uas',
      ...savedPlace(this),
      dialogId,
      callId,
      target: { ...this.target },
      ...(userAgent !== undefined && { userAgent }),
      ...(allowed && { allowed: [...allowed] }),
      limits: { ...this.limits },
      invite: savedInvite(req),
    };
  }

  get peer(): { signallingAddress: string } {
    return { signallingAddress: this.address.address };
  }

  get dialog(): LegDialog | undefined {
    return this.confirmed;
  }

  get isTrying(): boolean {
    return this.state === 'trying';
  }

  /** Joins it to its call: what is sent is written down, and `onRequest` takes what srf brings up elsewhere. */
  join(trail: Trail, onRequest: SrfHandler): void {
    this.trail = trail;
    this.onUpdate = onRequest;
  }

  /** It becomes the callee's side of a call that it picks up: `b2` and so on. */
  becomeCallee(name: string, username: string, trail: Trail, onRequest: SrfHandler): void {
    this.moveTo({ name, side: 'b', party: 'CALLEE', trail, username, onRequest });
  }

  moveTo({ name, side, party: role, username, trail, onRequest }: LegPlace): void {
    this.name = name;
    this.side = side;
    this.party = role;
    if (username !== undefined) this.target = { ...this.target, username };
    this.join(trail, onRequest);
    if (this.state === 'confirmed') this.confirmed = this.makeDialog();
  }

  acknowledge(body?: string): void {
    this.onAcknowledge?.(body);
  }

  movedTo(address: string): void {
    this.address = { ...this.address, address };
  }

  allows(method: string): boolean {
    return this.allowed?.has(method) ?? true;
  }

  /**
   * Passes a provisional response on, again each minute: proxies before us would else give the caller up (RFC 3261
   * §13.3.1.1). Ignored once a final one went out.
   */
  progress(status: number, headers: OutgoingHeaders, body?: string): void {
    if (this.state !== 'trying' || this.isCancelled || this.mustOfferFirst) return;
    this.deps.clock.clearTimeout(this.repetition);
    this.repetition = this.deps.clock.setTimeout(() => this.progress(status, headers, body), REPETITION_MS);
    this.trail?.response('a', true, status, reasonPhrase(status), 'INVITE', body);
    respondOnly(this.res, status, { headers, ...(body && { body }) });
  }

  /** RFC 3262 §5: a caller that requires 100rel and made no offer wants ours in the first provisional; it gets the 200 only. */
  private get mustOfferFirst(): boolean {
    return !this.req.body && hasOption(this.req, 'require', '100rel');
  }

  /** Sends the 200 with the description. Rejects when it did not leave: a CANCEL came first, the engine is lost or says nothing. */
  async answer(headers: OutgoingHeaders, body: string): Promise<void> {
    this.leaveTrying('answering');
    this.trail?.response(this.name, true, 200, 'OK', 'INVITE', body);
    // RFC 4028 §9: the first 200 settles who refreshes the session.
    const timer = answerSession(this.req, this.deps.session, this.limits.sessionSec);
    const content = { headers: { ...headers, ...timer }, body };
    const sent = await withDeadline(
      respond(this.res, 200, content),
      this.deps.answerMs ?? ECHO_TIMEOUT_MS,
      'sending the 200',
    );
    this.tags = { ...this.tags, local: parseNameAddr(header(sent, 'to') ?? '')?.params.get('tag') };
    this.confirm();
  }

  /** The 200 is known to have arrived or left: its echo, its ACK, or a BYE. Idempotent. */
  confirm(): void {
    if (this.state !== 'answering') return;
    this.state = 'confirmed';
    this.confirmed = this.makeDialog();
  }

  /** A final response that is no success. Ignored when there was a final one. */
  refuse(status: number, headers: OutgoingHeaders, phrase?: string): void {
    if (this.state !== 'trying') return;
    this.leaveTrying('ended');
    this.trail?.response('a', true, status, phrase ?? reasonPhrase(status), 'INVITE');
    // After CANCEL the engine has sent the 487 (RFC 3261 §9.2).
    if (this.isCancelled) return;
    respondOnly(this.res, status, { headers, ...(phrase !== undefined && { reason: phrase }) });
  }

  ended(): void {
    this.leaveTrying('ended');
    this.confirmed = undefined;
  }

  async end(ending: LegEnding): Promise<void> {
    if (this.state === 'trying') {
      this.refuse(ending.status, ending.headers, ending.reasonPhrase);
      return;
    }
    // A 200 on its way out: the dialog may be there, so it is ended as one that is.
    const dialog = this.confirmed ?? (this.state === 'answering' ? this.makeDialog() : undefined);
    this.ended();
    await dialog?.bye(ending.headers);
  }

  private leaveTrying(state: 'answering' | 'ended'): void {
    this.state = state;
    this.deps.clock.clearTimeout(this.repetition);
    if (state === 'ended') this.place?.release();
  }

  private makeDialog(): LegDialog | undefined {
    const { trail, onUpdate, deps } = this;
    return (
      trail && new LegDialog(this.dialogId, 'phone', this.name, deps.engine, deps.clock, trail, onUpdate)
    );
  }
}
