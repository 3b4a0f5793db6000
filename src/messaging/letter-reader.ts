import type { User } from '../accounts/types.js';
import { calleeInviteHeaders, midCallHeaders, wantsPrivacy } from '../call/header-policy.js';
import type { Clock } from '../platform/clock.js';
import { withDeadline } from '../platform/deadline.js';
import { ulid } from '../platform/ids.js';
import { ALLOW } from '../signalling/fallbacks.js';
import type { LocalNames } from '../signalling/local-names.js';
import { cseqNumber, header, headerNumber, type Party, peerOf } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfRequest } from '../signalling/srf-types.js';
import { checkMessage, dialledNumber } from './check-message.js';
import { MessageRefusedError } from './errors.js';
import { findRecipient, type RecipientDirectory } from './find-recipient.js';
import { LOOKUP_TIMEOUT_MS } from './limits.js';
import { SenderRate } from './sender-rate.js';
import type { Letter, MessageLimits } from './types.js';

export interface LetterReaderDeps extends Pick<RecipientDirectory, 'users' | 'numbering'> {
  readonly names: Pick<LocalNames, 'has'>;
  readonly limits: Required<Pick<MessageLimits, 'maxBytes' | 'expirySec' | 'perMinute'>>;
  readonly clock: Clock;
}

/** Makes letters of the requests that are taken: the pace of the sender, the checks, the recipient, the headers for its phones. */
export class LetterReader {
  private readonly rate: SenderRate;

  constructor(private readonly deps: LetterReaderDeps) {
    this.rate = new SenderRate(() => deps.limits.perMinute, deps.clock);
  }

  /** The letter of a request of `user`. Rejects with MessageRefusedError, or with what the directory says. */
  async read(req: SrfRequest, from: Party, user: User): Promise<Letter> {
    const { clock, limits, names, users, numbering } = this.deps;
    const waitSec = this.rate.take(user.username);
    // RFC 3261 §20.33; a 503 would have the phone leave this server alone (RFC 3261 §21.5.4).
    if (waitSec > 0)
      throw new MessageRefusedError('sender-too-fast', 'Too Many Messages', { 'Retry-After': waitSec });
    checkMessage(req, from, user, limits.maxBytes);
    const dialled = dialledNumber(req, (host) => names.has(host));
    const found = findRecipient({ users, numbering, now: () => clock.now() }, dialled);
    const recipient = await withDeadline(found, LOOKUP_TIMEOUT_MS, 'finding the recipient');
    const receivedAt = clock.now();
    const expirySec = Math.min(limits.expirySec, wantedExpiry(req) ?? Infinity);
    const { address, port, protocol } = peerOf(req);
    return {
      id: ulid(receivedAt),
      sender: user.username,
      recipient: recipient.username,
      recipientSince: recipient.createdAt,
      callId: header(req, 'call-id') ?? '',
      cseq: cseqNumber(req),
      senderUri: from.uri,
      dialled: dialled.number,
      address,
      port,
      transport: protocol,
      headers: phoneHeaders(req, from, user, recipient.username, receivedAt),
      body: req.body ?? '',
      receivedAt,
      expiresAt: receivedAt + expirySec * 1000,
    };
  }
}

/** Seconds; undefined when the request has no Expires, or one that is no number. */
function wantedExpiry(req: SrfRequest): number | undefined {
  const expires = headerNumber(req, 'expires');
  return Number.isNaN(expires) ? undefined : expires;
}

/** Headers for the phones: those of an INVITE of the same sender, and what says how the body is to be read. */
function phoneHeaders(
  req: SrfRequest,
  from: Party,
  user: User,
  recipient: string,
  now: number,
): Record<string, string> {
  const isAnonymous = wantsPrivacy(req, from.uri);
  const sender = { user: user.username, displayName: from.displayName || user.displayName, isAnonymous };
  const headers: OutgoingHeaders = {
    ...calleeInviteHeaders(req, sender, recipient, 'localhost', ALLOW),
    ...midCallHeaders(req),
    'Content-Language': header(req, 'content-language'),
    // RFC 3428 §4: with Date a phone can tell how old a message is.
    Date: header(req, 'date') ?? new Date(now).toUTCString(),
    Expires: wantedExpiry(req),
  };
  const present = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present.map(([name, value]) => [name, String(value)]));
}
