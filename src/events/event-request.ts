import type { User, UserService } from '../accounts/types.js';
import { unsupportedExtensions } from '../call/header-policy.js';
import { withDeadline } from '../platform/deadline.js';
import { normaliseNumber } from '../routing/number.js';
import type { Authenticator } from '../security/authenticator.js';
import type { LocalNames } from '../signalling/local-names.js';
import { header, headerList, headerNumber, party } from '../signalling/request.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { parseUri } from '../sip/uri.js';
import { EventRefusedError } from './errors.js';

/** Longest wait for the directory inside a request. */
const LOOKUP_TIMEOUT_MS = 4000;

export interface EventRequestDeps {
  readonly authenticator: Authenticator;
  readonly users: Pick<UserService, 'authData'>;
  readonly names: Pick<LocalNames, 'has'>;
}

/** Who sends a SUBSCRIBE or PUBLISH, as itself; undefined when it was challenged. Rejects with EventRefusedError. */
export async function senderOf(
  { authenticator }: EventRequestDeps,
  req: SrfRequest,
  res: SrfResponse,
): Promise<User | undefined> {
  const work = authenticator.authenticate(req, 'www');
  const outcome = await withDeadline(work, LOOKUP_TIMEOUT_MS, 'authentication');
  if (!outcome.ok) {
    authenticator.reject(req, res, 'www', outcome);
    return undefined;
  }
  const extensions = unsupportedExtensions(req);
  // RFC 3261 §8.2.2.3
  if (extensions.length > 0)
    throw new EventRefusedError(420, 'Bad Extension', { Unsupported: extensions.join(', ') });
  // RFC 3261 §22.1: a user speaks for itself only.
  if (parseUri(party(req, 'from').uri)?.user !== outcome.user.username)
    throw new EventRefusedError(403, 'From Is Not The Authenticated User');
  return outcome.user;
}

/** The subscriber that a Request-URI names. Rejects with EventRefusedError. */
export async function resourceOf({ users, names }: EventRequestDeps, req: SrfRequest): Promise<User> {
  const uri = parseUri(req.uri);
  if (!uri) throw new EventRefusedError(416, 'Unsupported URI Scheme');
  if (uri.scheme !== 'tel' && !names.has(uri.host))
    throw new EventRefusedError(404, 'Domain Not Served Here');
  for (const candidate of normaliseNumber(uri.user ?? '')?.candidates ?? []) {
    const user = await withDeadline(users.authData(candidate), LOOKUP_TIMEOUT_MS, 'finding the user');
    if (user) return user;
  }
  throw new EventRefusedError(404, 'Not Found');
}

/**
 * How long what a request asks for will last, seconds; 0 when it wants an end. Throws EventRefusedError 423 with Min-Expires for
 * less than the least (RFC 6665 §4.2.1.1).
 */
export function grantedSec(
  req: SrfRequest,
  { minSec, maxSec }: { readonly minSec: number; readonly maxSec: number },
  defaultSec: number,
): number {
  const wanted = headerNumber(req, 'expires');
  if (Number.isNaN(wanted)) throw new EventRefusedError(400, 'Bad Expires Header');
  if (wanted === 0) return 0;
  if (wanted !== undefined && wanted < minSec)
    throw new EventRefusedError(423, 'Interval Too Brief', { 'Min-Expires': minSec });
  return Math.max(minSec, Math.min(wanted ?? defaultSec, maxSec));
}

/** Whether the sender takes bodies of a type (RFC 3261 §20.1); no Accept means that it takes those of the package. */
export function accepts(req: SrfRequest, contentType: string): boolean {
  if (header(req, 'accept') === undefined) return true;
  const [kind] = contentType.split('/');
  return headerList(req, 'accept')
    .map((range) => range.split(';', 1)[0]!.trim().toLowerCase())
    .some((range) => [contentType, `${kind}/*`, '*/*'].includes(range));
}
