import { parseAlgorithm } from '../sip/digest.js';
import { type DigestCredentials, parseCredentials } from '../sip/digest-headers.js';
import { splitList } from '../sip/split.js';
import { parseUri } from '../sip/uri.js';

/** Algorithms that we hold HA1 for, the strongest first. */
export const HELD_ALGORITHMS = ['SHA-256', 'MD5'] as const;
export type HeldAlgorithm = (typeof HELD_ALGORITHMS)[number];

/** Digest credentials for our realm with an algorithm that we take. */
export interface UsableCredentials extends DigestCredentials {
  readonly held: HeldAlgorithm;
  /** Nonce count; undefined for a client without qop (RFC 2617 §3.2.2). */
  readonly count: number | undefined;
}

/** Authorization values that one request may carry; more are not looked at. */
const MAX_VALUES = 8;

/**
 * The credentials for `realm` in an Authorization or Proxy-Authorization value, which may hold several, joined by commas
 * (RFC 3261 §20.7, §22.3); the strongest algorithm wins. `none` when there are none for us, `malformed` when one that looks
 * ours cannot be used.
 */
export function pickCredentials(
  value: string | undefined,
  realm: string,
  taken: readonly HeldAlgorithm[] = HELD_ALGORITHMS,
): UsableCredentials | 'none' | 'malformed' {
  if (value === undefined) return 'none';
  let failed = false;
  const usable: UsableCredentials[] = [];
  for (const item of splitCredentials(value).slice(0, MAX_VALUES)) {
    const parsed = parseCredentials(item);
    if (!parsed) failed = true;
    else if (parsed.realm === realm) {
      const credentials = toUsable(parsed, taken);
      if (credentials) usable.push(credentials);
      else failed = true;
    }
  }
  usable.sort((a, b) => HELD_ALGORITHMS.indexOf(a.held) - HELD_ALGORITHMS.indexOf(b.held));
  return usable[0] ?? (failed ? 'malformed' : 'none');
}

/** Credentials joined by commas, taken apart where a scheme begins. */
function splitCredentials(value: string): string[] {
  // The usual case: one scheme, nothing to take apart.
  if (!/,[ \t]*[A-Za-z][\w-]*[ \t]+[\w*-]+[ \t]*=/.test(value)) return [value];
  const items: string[] = [];
  for (const part of splitList(value)) {
    if (items.length === 0 || /^[A-Za-z][\w-]*[ \t]+[\w*-]+[ \t]*=/.test(part)) items.push(part);
    else items[items.length - 1] += `, ${part}`;
  }
  return items;
}

function toUsable(parsed: DigestCredentials, taken: readonly HeldAlgorithm[]): UsableCredentials | undefined {
  const choice = parseAlgorithm(parsed.algorithm);
  const held = taken.find((name) => name === choice?.algorithm);
  if (!held || choice?.isSession || parsed.userhash) return undefined;
  if (parsed.qop !== undefined && parsed.qop !== 'auth') return undefined;
  const count = parsed.qop === undefined ? undefined : Number.parseInt(parsed.nc ?? '', 16);
  // RFC 7616 §3.4: counts begin at 1.
  if (count !== undefined && !(count >= 1)) return undefined;
  return { ...parsed, held, count };
}

/**
 * Whether the `uri` that was digested stands for the Request-URI (RFC 3261 §22.4 item 5, RFC 7616 §3.4.6). The same text,
 * or the same user at the same host; a missing user passes, and any of our own names is as good as another: phones put
 * the registrar's name there, load tools its address.
 */
export function digestUriFits(
  digestUri: string,
  requestUri: string,
  isOurs: (host: string) => boolean,
): boolean {
  if (digestUri === requestUri) return true;
  const [digested, requested] = [parseUri(digestUri), parseUri(requestUri)];
  if (!digested || !requested) return false;
  if (digested.user !== undefined && digested.user !== requested.user) return false;
  return (
    digested.host.toLowerCase() === requested.host.toLowerCase() ||
    (isOurs(digested.host) && isOurs(requested.host))
  );
}
