import type { User } from '../accounts/types.js';
import { withDeadline } from '../platform/deadline.js';
import { AppError } from '../platform/errors.js';
import { randomToken } from '../platform/ids.js';
import type { Authenticator } from '../security/authenticator.js';
import { cseqNumber, header, party, peerOf } from '../signalling/request.js';
import { type OutgoingHeaders, respond, respondOnly } from '../signalling/respond.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { parseContact } from '../sip/contact.js';
import { escapeUser } from '../sip/escape.js';
import { reasonPhrase } from '../sip/reason-phrases.js';
import { parseUri } from '../sip/uri.js';
import type { Call } from './call.js';
import { CallRefusedError } from './errors.js';
import { unsupportedExtensions } from './header-policy.js';
import { type OriginateDeps, originate } from './originate.js';
import { OwnPhones } from './own-phones.js';
import { type Referral, readRefer } from './refer.js';
import { ReferDialog } from './refer-dialog.js';
import { ReferSubscription } from './refer-subscription.js';
import type { RouteService } from './types.js';

const LOOKUP_TIMEOUT_MS = 4000;
const RETRY_AFTER_SEC = 10;

export interface ClickToCallDeps extends OriginateDeps {
  readonly authenticator: Authenticator;
  readonly routes: Pick<RouteService, 'explain'>;
}

/**
 * REFER outside calls (RFC 3515): rings the phones of its sender, then calls who Refer-To names, and tells of it by NOTIFY. Whoever
 * sends it may make its own phones call, and nobody else's.
 */
export class ClickToCall {
  constructor(private readonly deps: ClickToCallDeps) {}

  /** Takes a REFER without To tag. Every one gets its final answer. */
  async handle(req: SrfRequest, res: SrfResponse): Promise<void> {
    try {
      const user = await this.authenticate(req, res);
      if (user) await this.take(req, res, user);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const status = error.code.startsWith('STORE') || error.code === 'TIMEOUT' ? 503 : error.sipStatus;
      const headers: OutgoingHeaders = {
        ...(status === 503 && { 'Retry-After': RETRY_AFTER_SEC }),
        ...(error instanceof CallRefusedError && error.headers),
      };
      this.deps.call.log.info({ status, reason: error.message }, 'REFER refused');
      respondOnly(res, status, { headers });
    }
  }

  /** Begins a call that an operator asked for; nobody hears of its progress. */
  connect(user: User, to: string, by: string): Call {
    const { deps } = this;
    const ignore = (): void => undefined;
    const phones = new OwnPhones(deps.call, deps.routes, user, to, {
      progress: ignore,
      connected: ignore,
      failed: ignore,
    });
    return originate(deps, { user, to, by, method: 'MML', callId: `${randomToken(24)}@local` }, phones);
  }

  private async authenticate(req: SrfRequest, res: SrfResponse): Promise<User | undefined> {
    const { authenticator } = this.deps;
    const outcome = await withDeadline(
      authenticator.authenticate(req, 'www'),
      LOOKUP_TIMEOUT_MS,
      'authentication',
    );
    if (outcome.ok) return outcome.user;
    authenticator.reject(req, res, 'www', outcome);
    return undefined;
  }

  private async take(req: SrfRequest, res: SrfResponse, user: User): Promise<void> {
    const { deps } = this;
    const referral = this.check(req, user);
    const target = parseContact(header(req, 'contact') ?? '')?.uri;
    // RFC 3515 §2.2: NOTIFY needs somewhere to go.
    if (target === undefined) throw new CallRefusedError('request-malformed', 'Missing Contact Header');
    if (deps.isDraining()) throw new CallRefusedError('server-draining', 'no new calls while draining');
    const accepted = await respond(res, 202, { headers: acceptedHeaders(user, referral) });
    const { engine, clock } = deps.call;
    const peer = peerOf(req);
    const dialog = new ReferDialog(engine, clock, req, accepted, target, peer);
    const told = new ReferSubscription(dialog, referral.wantsNotify, undefined);
    const { number } = referral.number;
    const phones = new OwnPhones(deps.call, deps.routes, user, number, {
      progress: (status, reason) => told.progress(status, reason),
      connected: () => void told.final(200, 'OK'),
      failed: (status, reason) => void told.final(status, reason),
    });
    const userAgent = header(req, 'user-agent');
    const call = originate(
      deps,
      {
        user,
        to: number,
        by: user.username,
        method: 'REFER',
        callId: header(req, 'call-id') ?? '',
        cseq: cseqNumber(req),
        from: { address: peer.address, port: peer.port, transport: peer.protocol },
        ...(userAgent !== undefined && { userAgent }),
      },
      phones,
    );
    dialog.trail = call.trail;
    call.trail.request('a', false, 'REFER');
    call.trail.response('a', true, 202, 'Accepted', 'REFER');
    told.progress(100, reasonPhrase(100));
  }

  /** Throws CallRefusedError. */
  private check(req: SrfRequest, user: User): Referral {
    const { isLocalHost } = this.deps.call.router;
    const extensions = unsupportedExtensions(req).filter((tag) => tag !== 'norefersub');
    // RFC 3261 §8.2.2.3
    if (extensions.length > 0)
      throw new CallRefusedError('extension-required', 'Bad Extension', {
        Unsupported: extensions.join(', '),
      });
    const uri = parseUri(req.uri);
    if (!uri || !isLocalHost(uri.host))
      throw new CallRefusedError('foreign-domain', 'Domain Not Served Here');
    const from = parseUri(party(req, 'from').uri)?.user;
    // RFC 3515 §5.2: nobody makes another's phones call.
    if (from !== user.username || (uri.user !== undefined && uri.user !== user.username))
      throw new CallRefusedError('from-mismatch', 'not the phones of the authenticated user');
    const referral = readRefer(req, isLocalHost);
    if (typeof referral === 'number') throw new ReferRefusedError(referral);
    if (referral.replaces) throw new ReferRefusedError(403);
    return referral;
  }
}

/** A Refer-To that is not followed. */
class ReferRefusedError extends AppError {
  constructor(status: number) {
    super('REFER_REFUSED', reasonPhrase(status), { sipStatus: status });
  }
}

/** RFC 4488 §4: without a subscription there is no dialog. */
function acceptedHeaders({ username }: User, { wantsNotify }: Referral): OutgoingHeaders {
  return {
    Contact: `<sip:${escapeUser(username)}@localhost>`,
    Supported: 'norefersub',
    ...(!wantsNotify && { 'Refer-Sub': 'false' }),
  };
}
