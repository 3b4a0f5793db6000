import type { Logger } from '../platform/logger.js';
import { isHold } from '../sdp/offer-answer.js';
import { rejectOffer } from '../sdp/reject-offer.js';
import { parseSdp } from '../sdp/session-description.js';
import type { SignallingError } from '../signalling/errors.js';
import { type OutgoingHeaders, respond, respondOnly } from '../signalling/respond.js';
import type { SrfAck, SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { reasonPhrase } from '../sip/reason-phrases.js';
import { type CallMedia, isBadDescription } from './call-media.js';
import type { ClientRequest } from './client-request.js';
import type { NoResponseError } from './errors.js';
import { ownHeaders } from './header-policy.js';
import type { Leg } from './leg.js';
import { offered } from './offered.js';
import type { Trail } from './trail.js';

/** What a new offer needs of its call. */
export interface ReofferHost {
  readonly media: CallMedia;
  readonly trail: Trail;
  readonly log: Logger;
  /** Answered and acknowledged, and not ending. */
  readonly isStable: boolean;
  readonly allow: string;
  other(leg: Leg): Leg | undefined;
  /** The leg's phone no longer knows the dialog (RFC 3261 §12.2.1.2). */
  onDialogLost(leg: Leg): void;
  /** Both phones agreed on what the relay would not do. */
  onMediaLost(): void;
  onAgreed(by: Leg, isHold: boolean): void;
  /** Whether the leg's phone holds the call. */
  isHeldBy(leg: Leg): boolean;
  /** Lets `cancelled` be called when the INVITE is taken back. */
  watchCancel(req: SrfRequest, cancelled: () => void): void;
}

interface Exchange {
  readonly from: Leg;
  readonly to: Leg;
  readonly req: SrfRequest;
  readonly res: SrfResponse;
  /** The phone held the call before. */
  readonly wasHold: boolean;
  /** The request that goes on to the other phone. */
  client?: ClientRequest;
  /** Late offer: ACKs the other phone's 2xx with the answer that the ACK of this side brings. */
  ackWithAnswer?: SrfAck;
  /** Late offer: the answer that refuses all, for an exchange that comes to nothing. */
  rejection?: string;
  phase: 'offering' | 'forwarded' | 'awaiting-ack' | 'over';
  isCancelled: boolean;
}

/** How soon a phone may repeat a request that came too early, seconds (RFC 3261 §14.2: 0 to 10). */
const RETRY_AFTER_MAX_SEC = 10;

/**
 * New offers inside a call: re-INVITE with or without SDP and UPDATE, from either side, one at a time (RFC 3261 §14,
 * RFC 3264 §8, RFC 3311). Each goes on to the other phone as a re-INVITE, and that phone's answer comes back; when it
 * refuses, so do we, and the session stays as it was.
 */
export class Reoffer {
  private current: Exchange | undefined;
  /** Where the last offer of each leg came from. */
  private readonly seenAt = new WeakMap<Leg, string>();

  constructor(private readonly host: ReofferHost) {}

  /** An offer is open, whoever made it. */
  get isBusy(): boolean {
    return this.current !== undefined;
  }

  /** Takes a re-INVITE, or an UPDATE that holds an offer. */
  handle(from: Leg, req: SrfRequest, res: SrfResponse): void {
    this.supersede(from);
    const to = this.host.other(from);
    if (this.current?.from === from) {
      // RFC 3261 §14.2, RFC 3311 §5.2
      const seconds = Math.floor(Math.random() * (RETRY_AFTER_MAX_SEC + 1));
      this.respond(from, req, res, 500, { 'Retry-After': seconds });
      return;
    }
    // RFC 3261 §14.2: we have an INVITE open towards this phone, or its first one is not acknowledged.
    if (this.current || !this.host.isStable || !to?.dialog) {
      this.respond(from, req, res, 491);
      return;
    }
    if (this.refresh(from, to, req, res)) return;
    const wasHold = this.host.isHeldBy(from);
    const exchange: Exchange = { from, to, req, res, wasHold, phase: 'offering', isCancelled: false };
    this.current = exchange;
    if (req.method === 'INVITE') this.host.watchCancel(req, () => this.onCancel(exchange));
    this.host.trail.add({ kind: 'reinvite', by: from.party });
    this.offer(exchange).catch((error: unknown) => this.refuse(exchange, error));
  }

  /** The ACK of our 200 to a re-INVITE. Returns false when none was awaited from that leg. */
  acknowledge(from: Leg, ack: SrfRequest): boolean {
    const exchange = this.current;
    if (exchange?.from !== from || exchange.phase !== 'awaiting-ack') return false;
    const send = exchange.ackWithAnswer;
    this.finish(exchange);
    if (send) this.answerLate(exchange, ack.body, send).catch(() => this.host.onMediaLost());
    return true;
  }

  /** The call ends: what is open is closed (RFC 3261 §15.1.2: 487). */
  abort(): void {
    const exchange = this.current;
    if (!exchange) return;
    const isAnswered = exchange.phase === 'awaiting-ack';
    this.finish(exchange);
    exchange.ackWithAnswer?.({ body: exchange.rejection ?? '' });
    exchange.client?.cancel();
    if (!isAnswered && !exchange.isCancelled) this.respond(exchange.from, exchange.req, exchange.res, 487);
  }

  /** A new request of the same phone shows that it has our 200, its ACK lost or not. */
  private supersede(from: Leg): void {
    const exchange = this.current;
    if (exchange?.from === from && exchange.phase === 'awaiting-ack' && !exchange.ackWithAnswer)
      this.finish(exchange);
  }

  /**
   * RFC 4028 §7.4: the description in force once more only refreshes the session timer of that leg, and is nothing to the
   * other phone. From another address it is the word of a phone that has changed its network, of which the relay has to hear.
   */
  private refresh(from: Leg, to: Leg, req: SrfRequest, res: SrfResponse): boolean {
    if (this.hasMoved(from, req)) return false;
    const told = req.body && this.host.media.refreshAnswer(from.side, req.body);
    if (!told) return false;
    this.accept(from, req, res, offered(told, to, from));
    return true;
  }

  private hasMoved(leg: Leg, { source_address: address, source_port: port }: SrfRequest): boolean {
    const source = `${address}:${port}`;
    const before = this.seenAt.get(leg) ?? `${leg.target.address}:${leg.target.port}`;
    this.seenAt.set(leg, source);
    if (source === before) return false;
    leg.movedTo(address);
    return true;
  }

  /** Answers 200; `onUnsent` is called when the engine would not send it, as the request has its final response. */
  private accept(
    from: Leg,
    req: SrfRequest,
    res: SrfResponse,
    body: string,
    onUnsent: () => void = () => {},
  ): void {
    // RFC 3311 §5.2: the Contact of a 2xx to UPDATE is where the request came to.
    const focus = this.host.other(from)?.isFocus ? ';isfocus' : '';
    const contact = focus || req.method === 'UPDATE' ? { Contact: `<${req.uri}>${focus}` } : {};
    const headers = { ...ownHeaders(this.host.allow, 'Server'), ...contact };
    this.host.trail.response(from.name, true, 200, reasonPhrase(200), req.method, body);
    respond(res, 200, { headers, body }).catch(({ code }: SignallingError) => {
      if (code === 'RESPONSE_REFUSED') onUnsent();
    });
  }

  private async offer(exchange: Exchange): Promise<void> {
    const { from, req } = exchange;
    const rewritten = req.body ? await this.host.media.offer(from.side, req.body, from.peer) : undefined;
    const sdp = rewritten && offered(rewritten, from, exchange.to);
    if (exchange.phase === 'over') return;
    const dialog = exchange.to.dialog;
    if (!dialog) return this.respondOver(exchange, 480);
    exchange.phase = 'forwarded';
    const headers = ownHeaders(this.host.allow, 'User-Agent');
    exchange.client = dialog.reinvite(headers, sdp, {
      onFinal: (res, ack) => this.onFinal(exchange, res, ack),
      onFailure: (error) => this.onNoResponse(exchange, error),
    });
    if (exchange.isCancelled) exchange.client.cancel();
  }

  private onFinal(exchange: Exchange, res: SrfResponse, ack: SrfAck): void {
    if (res.status >= 300) {
      this.onRefused(exchange, res.status);
      return;
    }
    const isLate = !exchange.req.body;
    const rejection = isLate && res.body ? rejectOffer(res.body) : undefined;
    const isDropped = exchange.phase === 'over' || exchange.isCancelled;
    // RFC 3261 §13.2.2.4: a 2xx is always acknowledged; one with an offer in it when the answer is there.
    if (isDropped || !rejection) ack(rejection ? { body: rejection } : {});
    if (exchange.phase === 'over') return;
    if (res.body && exchange.isCancelled && !isLate) {
      this.leadBack(exchange);
      return;
    }
    if (!res.body || exchange.isCancelled) {
      this.onRefused(exchange, 488);
      return;
    }
    if (rejection) exchange.rejection = rejection;
    this.agree(exchange, res.body, isLate ? ack : undefined).catch((error: unknown) => {
      this.host.log.warn({ err: error }, 'a new session was agreed on and cannot be relayed');
      if (rejection) ack({ body: rejection });
      this.respondOver(exchange, 488);
      this.host.onMediaLost();
    });
  }

  private async agree(exchange: Exchange, sdp: string, ack: SrfAck | undefined): Promise<void> {
    const { from, to, req, res } = exchange;
    const { media } = this.host;
    const rewritten = ack
      ? offered(await media.offer(to.side, sdp, to.peer), to, from)
      : await media.answer(to.side, sdp, to.peer);
    if (exchange.phase === 'over' || exchange.isCancelled) {
      if (exchange.rejection) ack?.({ body: exchange.rejection });
      if (exchange.phase === 'over') return;
      if (ack) this.onRefused(exchange, 488);
      else {
        media.takeBack();
        this.leadBack(exchange);
      }
      return;
    }
    if (ack) exchange.ackWithAnswer = ack;
    if (req.method === 'INVITE') exchange.phase = 'awaiting-ack';
    else this.finish(exchange);
    this.accept(from, req, res, rewritten, () => this.takeBack(exchange));
    if (!ack) this.host.onAgreed(from, isHoldOffer(req.body));
  }

  /** The other phone has agreed to what was taken back meanwhile: it is asked to go on as before (RFC 3261 §14.2). */
  private leadBack(exchange: Exchange): void {
    const { to } = exchange;
    const { media, allow } = this.host;
    void this.restore();
    const told = media.toldTo(to.side);
    if (!told || !to.dialog) {
      this.finish(exchange);
      return;
    }
    exchange.client = to.dialog.reinvite(ownHeaders(allow, 'User-Agent'), told, {
      onFinal: ({ status }, ack) => {
        if (status < 300) ack({});
        if (exchange.phase === 'over') return;
        if (status === 481 || status === 408) this.onLost(exchange);
        else this.finish(exchange);
      },
      onFailure: (error) => this.onNoResponse(exchange, error),
    });
  }

  private async answerLate(exchange: Exchange, answer: string | undefined, send: SrfAck): Promise<void> {
    if (!answer) {
      // RFC 3261 §13.2.1: the offer in our 200 had to be answered in the ACK.
      send({ body: exchange.rejection ?? '' });
      this.host.onMediaLost();
      return;
    }
    const { from } = exchange;
    try {
      send({ body: await this.host.media.answer(from.side, answer, from.peer) });
    } catch (error) {
      send({ body: exchange.rejection ?? '' });
      throw error;
    }
    this.host.onAgreed(from, isHoldOffer(answer));
  }

  private onRefused(exchange: Exchange, status: number): void {
    if (exchange.phase === 'over') return;
    if (status === 481 || status === 408) {
      this.onLost(exchange);
      return;
    }
    // A challenge or a redirection concerns the hop behind us only.
    const told = status < 400 || status === 401 || status === 407 ? 488 : status;
    if (exchange.req.body) void this.restore();
    this.respondOver(exchange, told);
  }

  private onNoResponse(exchange: Exchange, error: NoResponseError): void {
    if (exchange.phase === 'over') return;
    this.host.log.warn({ err: error }, 're-INVITE without a final response');
    this.onLost(exchange);
  }

  /** RFC 3261 §12.2.1.2: 481, 408 or silence end the dialog, and with it the call. */
  private onLost(exchange: Exchange): void {
    this.respondOver(exchange, 480);
    this.host.onDialogLost(exchange.to);
  }

  private onCancel(exchange: Exchange): void {
    if (exchange.phase === 'over' || exchange.phase === 'awaiting-ack') return;
    // The engine has answered CANCEL and the INVITE with 487; the other phone's final response ends the exchange.
    exchange.isCancelled = true;
    exchange.client?.cancel();
  }

  /** Our 200 came after the engine's 487 to a CANCEL and was never sent: what the other phone has agreed to does not count. */
  private takeBack(exchange: Exchange): void {
    if (exchange.phase !== 'awaiting-ack') return;
    exchange.isCancelled = true;
    const { from, wasHold, ackWithAnswer, rejection } = exchange;
    if (ackWithAnswer) {
      ackWithAnswer({ body: rejection ?? '' });
      void this.restore();
      this.finish(exchange);
      return;
    }
    exchange.phase = 'forwarded';
    this.host.media.takeBack();
    this.host.onAgreed(from, wasHold);
    this.leadBack(exchange);
  }

  private refuse(exchange: Exchange, error: unknown): void {
    if (exchange.phase === 'over') return;
    const isBad = isBadDescription(error);
    if (!isBad) this.host.log.warn({ err: error }, 'a new offer cannot be relayed');
    this.respondOver(exchange, isBad ? 488 : 500);
  }

  private async restore(): Promise<void> {
    if (!(await this.host.media.restore()))
      this.host.log.warn('the relay did not go back to the old session');
  }

  private respondOver(exchange: Exchange, status: number): void {
    this.finish(exchange);
    if (!exchange.isCancelled) this.respond(exchange.from, exchange.req, exchange.res, status);
  }

  private finish(exchange: Exchange): void {
    exchange.phase = 'over';
    if (this.current === exchange) this.current = undefined;
  }

  private respond(
    leg: Leg,
    req: SrfRequest,
    res: SrfResponse,
    status: number,
    headers: OutgoingHeaders = {},
    body?: string,
  ): void {
    this.host.trail.response(leg.name, true, status, reasonPhrase(status), req.method, body);
    respondOnly(res, status, { headers, ...(body && { body }) });
  }
}

/** Whether the sender of a description holds the call; false for one that cannot be read. */
function isHoldOffer(sdp: string | undefined): boolean {
  try {
    return sdp !== undefined && isHold(parseSdp(sdp));
  } catch {
    return false;
  }
}
