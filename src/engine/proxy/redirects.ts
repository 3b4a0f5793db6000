import { parseContacts } from '../../sip/contact.js';
import type { SipResponse } from '../../sip/message.js';
import { parseUri } from '../../sip/uri.js';
import { urisEqual } from '../../sip/uri-equals.js';
import { MAX_REDIRECT_CONTACTS, MAX_REDIRECT_DEPTH } from './limits.js';
import type { Target } from './types.js';

/** Preference of a Contact without q (RFC 3261 §20.10 leaves it open; RFC 3840 §5 takes 1). */
const DEFAULT_Q = 1;

/**
 * The targets that a redirect names, best first (RFC 3261 §16.7 item 4): those tried before are left out, which ends loops,
 * and a sips: request is not led to a sip: target. `nearest` is how near to this machine they may be.
 */
export function redirectTargets(
  response: SipResponse,
  from: Target,
  tried: readonly Target[],
  nearest: number,
): Target[] {
  const contacts = parseContacts(response);
  if (!Array.isArray(contacts) || from.depth >= MAX_REDIRECT_DEPTH) return [];
  const targets: Target[] = [];
  const sorted = [...contacts].sort((a, b) => (b.q ?? DEFAULT_Q) - (a.q ?? DEFAULT_Q));
  for (const { uri: text } of sorted) {
    const uri = text.replace(/\?.*$/, '');
    if (targets.length >= MAX_REDIRECT_CONTACTS) break;
    if (!isUsable(uri, from) || [...tried, ...targets].some((target) => isSame(target.requestUri, uri)))
      continue;
    targets.push({ uri, requestUri: uri, depth: from.depth + 1, nearest });
  }
  return targets;
}

function isUsable(uri: string, from: Target): boolean {
  const scheme = parseUri(uri)?.scheme;
  return scheme === 'sips' || (scheme === 'sip' && !/^sips:/i.test(from.requestUri));
}

function isSame(a: string, b: string): boolean {
  const first = parseUri(a);
  const second = parseUri(b);
  return first !== undefined && second !== undefined && urisEqual(first, second);
}
