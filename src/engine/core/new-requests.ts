import type { SipRequest } from '../../sip/message.js';
import { createResponse } from '../../sip/response.js';
import type { ServerTransaction } from '../types.js';
import { type Application, networkFacts } from './application.js';
import type { CoreContext } from './core-context.js';
import { reply, replyRinging, replyWith } from './own-replies.js';
import type { PendingRequests } from './pending-requests.js';
import { newTag } from './request-builder.js';
import type { Way } from './way.js';
import { WayFinder } from './way-finder.js';

const KNOWN_METHODS = new Set('INVITE REGISTER MESSAGE OPTIONS INFO NOTIFY SUBSCRIBE PUBLISH'.split(' '));
const ALLOW =
  'INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, INFO, SUBSCRIBE, NOTIFY, PUBLISH, UPDATE, PRACK, REFER';

/** Requests outside dialogs: screened, their way found, and given to an application or answered. */
export class NewRequests {
  /** Requests without To tag whose transactions are still there, to tell merged ones (RFC 3261 §8.2.2.2). */
  private readonly initialRequests = new Map<string, ServerTransaction>();
  private readonly ways: WayFinder;

  constructor(
    private readonly ctx: CoreContext,
    private readonly pending: PendingRequests,
  ) {
    this.ways = new WayFinder(ctx);
  }

  take(tx: ServerTransaction): void {
    const { request } = tx;
    const key = request.toTag === undefined ? mergeKey(request) : undefined;
    const isMerged = key !== undefined && this.initialRequests.has(key);
    const verdict = isMerged ? 482 : this.ctx.screen.judge(request);
    if (verdict !== undefined) {
      if (verdict === 482) this.ctx.counters.mergedRequests++;
      else this.ctx.counters.screened++;
      reply(tx, verdict);
      return;
    }
    if (key !== undefined) {
      tx.userKey = key;
      this.initialRequests.set(key, tx);
    }
    const localTag = newTag();
    // RFC 3261 §8.2.6.1: before the application has said a word.
    if (request.method === 'INVITE') reply(tx, 100);
    if (request.method === 'INVITE' && this.ctx.alwaysSend180) replyRinging(this.ctx, tx, localTag);
    if (this.pending.isFull) this.refuse(tx, localTag);
    else this.ways.find(tx, localTag, (way) => this.follow(tx, localTag, way));
  }

  /** The caller gave up before the way of its INVITE was known. */
  cancel(invite: ServerTransaction, cancel: ServerTransaction): void {
    this.ways.cancel(invite, cancel);
  }

  /** The transaction is over, or another's from now on: the same request by another way is not a merged one any more. */
  forget(tx: ServerTransaction): void {
    const key = tx.userKey;
    if (key !== undefined && this.initialRequests.get(key) === tx) this.initialRequests.delete(key);
    this.ways.forget(tx);
  }

  close(): void {
    this.initialRequests.clear();
    this.ways.close();
  }

  private follow(tx: ServerTransaction, localTag: string, way: Way): void {
    if (way.kind === 'application') this.giveTo(way.app, tx, localTag);
    else if (way.kind === 'nobody') this.refuse(tx, localTag);
    else if (way.kind === 'answer') this.answer(tx, way, localTag);
    else if (!this.ctx.proxy(tx, way.order)) this.answer(tx, { kind: 'answer', statusCode: 500 }, localTag);
  }

  private giveTo(app: Application, tx: ServerTransaction, localTag: string): void {
    const { request } = tx;
    const { id } = this.pending.add(tx, app, localTag).tx;
    const { localAddress: address, localPort: port } = tx.source;
    this.ctx.counters.requestsDelivered++;
    app.deliverRequest(request, networkFacts(request, tx.source), id, '', { address, port });
    this.tellAttempt(tx);
  }

  /** No application wants it. */
  private refuse(tx: ServerTransaction, localTag: string): void {
    this.ctx.counters.withoutApplication++;
    if (KNOWN_METHODS.has(tx.request.method)) this.answer(tx, { kind: 'answer', statusCode: 503 }, localTag);
    // RFC 3261 §8.2.1
    else tx.respond(createResponse(tx.request, 405, undefined, localTag).append('Allow', ALLOW));
  }

  private answer(tx: ServerTransaction, way: Extract<Way, { kind: 'answer' }>, localTag: string): void {
    this.tellAttempt(tx);
    const response = replyWith(tx, way, localTag);
    if (isNewCall(tx.request)) this.ctx.callEvents.final('application', 'uas', response);
  }

  private tellAttempt({ request }: ServerTransaction): void {
    if (isNewCall(request)) this.ctx.callEvents.attempt('network', request);
  }
}

function isNewCall(request: SipRequest): boolean {
  return request.method === 'INVITE' && request.toTag === undefined;
}

function mergeKey(request: SipRequest): string {
  return `${request.callId}\n${request.fromTag}\n${request.get('cseq')}`;
}
