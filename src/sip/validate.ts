import { badRequest, type Problem } from './errors.js';
import { canonicalName } from './header-names.js';
import type { SipMessage } from './message.js';
import { parseDigits } from './numbers.js';

/** Header fields that a message has exactly once (RFC 3261 §8.1.1, §7.3.1), in the order of their bits. */
const REQUIRED_ONCE = ['From', 'To', 'Call-ID', 'CSeq'] as const;
const ALL_REQUIRED = (1 << REQUIRED_ONCE.length) - 1;
const MAX_FORWARDS_BIT = 1 << 4;
const CONTENT_TYPE_BIT = 1 << 5;

const MISSING = REQUIRED_ONCE.map((name) => badRequest(`Missing ${name} Header`));
const MISSING_VIA = badRequest('Missing Via Header');
const BAD_VIA = badRequest('Bad Via Header');
const BAD_FROM = badRequest('Bad From Header');
const BAD_TO = badRequest('Bad To Header');
const BAD_CALL_ID = badRequest('Bad Call-ID Header');
const BAD_CSEQ = badRequest('Bad CSeq Header');
const CSEQ_MISMATCH = badRequest('CSeq Method Does Not Match Request Method');
const BAD_MAX_FORWARDS = badRequest('Bad Max-Forwards Header');
const BAD_CONTENT_LENGTH = badRequest('Bad Content-Length Header');

/** Bit of a header that may be there once, 0 for any other. */
function bitOf(key: string): number {
  switch (key) {
    case 'from':
      return 1;
    case 'to':
      return 2;
    case 'call-id':
      return 4;
    case 'cseq':
      return 8;
    case 'max-forwards':
      return MAX_FORWARDS_BIT;
    case 'content-type':
      return CONTENT_TYPE_BIT;
    default:
      return 0;
  }
}

/** A header that is missing, or there twice where once is the rule (RFC 4475 §3.3.1, §3.3.8). */
function countProblem(message: SipMessage): Problem | undefined {
  let seen = 0;
  for (const { key } of message.headers) {
    const bit = bitOf(key);
    if ((seen & bit) !== 0) return badRequest(`Duplicate ${canonicalName(key)} Header`);
    seen |= bit;
  }
  if ((seen & ALL_REQUIRED) === ALL_REQUIRED) return undefined;
  return MISSING.find((_, i) => (seen & (1 << i)) === 0);
}

/**
 * What names a dialog: visible ASCII. More is taken than the grammar's word and token (RFC 3261 §25.1), since phones write
 * more, but no `|`, no control character and no octet above 127: applications get these names as fields between `|` and
 * as UTF-8, where one dialog would become another, or none.
 */
const isDialogName = (text: string): boolean => /^[!-{}~]+$/.test(text);

/** The tag of a From or To may be absent, not unusable. */
const isTag = (tag: string | undefined): boolean => tag === undefined || isDialogName(tag);

/** Max-Forwards is 0..255 (RFC 3261 §20.22); a missing one is forgiven, as RFC 2543 did not know it. */
function maxForwardsProblem(message: SipMessage): Problem | undefined {
  const text = message.get('max-forwards');
  if (text === undefined) return undefined;
  return (parseDigits(text) ?? 256) <= 255 ? undefined : BAD_MAX_FORWARDS;
}

function cseqProblem(message: SipMessage): Problem | undefined {
  const cseq = message.cseq;
  if (!cseq) return BAD_CSEQ;
  // RFC 3261 §8.1.1.5
  return message.type === 'request' && cseq.method !== message.method ? CSEQ_MISMATCH : undefined;
}

/** Value of Content-Length; undefined when there is none, a problem when malformed or given twice with two values. */
export function contentLengthOf(message: SipMessage): number | Problem | undefined {
  let text: string | undefined;
  for (const { key, value } of message.headers) {
    if (key !== 'content-length') continue;
    if (text !== undefined && text !== value) return BAD_CONTENT_LENGTH;
    text = value;
  }
  if (text === undefined) return undefined;
  return parseDigits(text) ?? BAD_CONTENT_LENGTH;
}

/** The first thing wrong with the header fields that every element relies on (RFC 3261 §8.1.1, §16.3 item 1). */
export function findProblem(
  message: SipMessage,
  contentLength: number | Problem | undefined,
): Problem | undefined {
  const counts = countProblem(message);
  if (counts) return counts;
  if (!message.topVia) return message.has('via') ? BAD_VIA : MISSING_VIA;
  if (!message.from || !isTag(message.fromTag)) return BAD_FROM;
  if (!message.to || !isTag(message.toTag)) return BAD_TO;
  if (!isDialogName(message.callId ?? '')) return BAD_CALL_ID;
  const scalar = cseqProblem(message) ?? maxForwardsProblem(message);
  return scalar ?? (typeof contentLength === 'object' ? contentLength : undefined);
}
