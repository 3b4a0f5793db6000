import { header } from '../signalling/request.js';
import { respondOnly } from '../signalling/respond.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { reasonPhrase } from '../sip/reason-phrases.js';
import { midCallHeaders, ownHeaders } from './header-policy.js';
import type { Leg } from './leg.js';
import type { Trail } from './trail.js';

/** Requests that the other phone answers, not we: they carry something from phone to phone (RFC 6086 §4, RFC 3428 §4). */
const PASSED_ON: readonly string[] = ['INFO', 'MESSAGE'];
/** Event packages are not served inside calls (RFC 6665 §4.2.1.3). */
const EVENT_METHODS: readonly string[] = ['NOTIFY', 'SUBSCRIBE', 'PUBLISH'];

export interface MidCallContext {
  readonly trail: Trail;
  readonly allow: string;
  other(leg: Leg): Leg | undefined;
}

/**
 * Answers a request inside a call that changes neither the dialog nor the session: INFO and MESSAGE go through to the
 * other phone and its answer comes back; OPTIONS is ours; the rest is refused in the words of its RFC.
 */
export async function handleMidCall(
  context: MidCallContext,
  from: Leg,
  req: SrfRequest,
  res: SrfResponse,
): Promise<void> {
  const answer = (status: number, headers: Record<string, string> = {}): void => {
    context.trail.response(from.name, true, status, reasonPhrase(status), req.method);
    respondOnly(res, status, { headers });
  };
  if (PASSED_ON.includes(req.method)) return passOn(context, from, req, res);
  if (req.method === 'OPTIONS')
    return answer(200, { ...ownHeaders(context.allow, 'Server'), Accept: 'application/sdp' });
  if (EVENT_METHODS.includes(req.method)) return answer(489);
  // RFC 3262 §3: no provisional of ours asked for it.
  if (req.method === 'PRACK') return answer(481);
  // RFC 3261 §8.2.1
  return answer(405, { Allow: context.allow });
}

async function passOn(context: MidCallContext, from: Leg, req: SrfRequest, res: SrfResponse): Promise<void> {
  const { trail } = context;
  const respondTo = (status: number, headers = {}, body?: string): void => {
    trail.response(from.name, true, status, reasonPhrase(status), req.method, body);
    respondOnly(res, status, { headers, ...(body && { body }) });
  };
  const digits = dtmfDigits(req);
  if (digits > 0) trail.add({ kind: 'dtmf', by: from.party, digits });
  const dialog = context.other(from)?.dialog;
  if (!dialog) return respondTo(480);
  try {
    const answer = await dialog.request(req.method, midCallHeaders(req), req.body);
    // A challenge or a lost dialog concerns the other hop; this phone's dialog is well.
    const isOtherHop = answer.status < 200 || [401, 407, 408, 481].includes(answer.status);
    const status = isOtherHop || (answer.status >= 300 && answer.status < 400) ? 480 : answer.status;
    respondTo(status, midCallHeaders(answer), answer.body);
  } catch {
    respondTo(480);
  }
}

/** Digits that an INFO brings, by the usual bodies of application/dtmf-relay and application/dtmf. */
export function dtmfDigits(req: SrfRequest): number {
  const type = (header(req, 'content-type') ?? '').toLowerCase().split(';', 1)[0]?.trim();
  if (type === 'application/dtmf-relay') return /^\s*signal\s*=\s*[0-9a-d*#]/im.test(req.body ?? '') ? 1 : 0;
  if (type === 'application/dtmf') return /^\s*[0-9a-d*#]\s*$/i.test(req.body ?? '') ? 1 : 0;
  return 0;
}
