import type { User } from '../accounts/types.js';
import { nextMaxForwards, unsupportedExtensions } from '../call/header-policy.js';
import { type DialledNumber, normaliseNumber } from '../routing/number.js';
import { header, headerNumber, type Party } from '../signalling/request.js';
import type { SrfRequest } from '../signalling/srf-types.js';
import { parseUri, uriScheme } from '../sip/uri.js';
import { MessageRefusedError } from './errors.js';

/** What an authenticated MESSAGE has to be before anybody is looked for. Throws MessageRefusedError. */
export function checkMessage(req: SrfRequest, from: Party, user: User, maxBytes: number): void {
  const hops = nextMaxForwards(req);
  if (Number.isNaN(hops)) throw new MessageRefusedError('request-malformed', 'Bad Max-Forwards Header');
  // RFC 3261 §8.1.1.6
  if (hops < 0) throw new MessageRefusedError('too-many-hops', 'Too Many Hops');
  const extensions = unsupportedExtensions(req);
  // RFC 3261 §8.2.2.3
  if (extensions.length > 0)
    throw new MessageRefusedError('extension-required', 'Bad Extension', {
      Unsupported: extensions.join(', '),
    });
  checkFrom(from, user);
  checkBody(req, maxBytes);
}

/** A sender writes as itself or as nobody (RFC 3323 §4.1), never as another (RFC 3261 §22.1). */
function checkFrom(from: Party, user: User): void {
  if (/@anonymous\.invalid(?:[:;>]|$)/i.test(from.uri)) return;
  if (parseUri(from.uri)?.user !== user.username)
    throw new MessageRefusedError('from-mismatch', 'From Is Not The Authenticated User');
}

/** Any type of body goes through as it is, as long as it is text of UTF-8 and not too large. */
function checkBody(req: SrfRequest, maxBytes: number): void {
  const body = req.body ?? '';
  if (body === '') return;
  const bytes = Math.max(headerNumber(req, 'content-length') || 0, Buffer.byteLength(body));
  // RFC 3261 §21.4.11
  if (bytes > maxBytes) throw new MessageRefusedError('message-too-large', 'Request Entity Too Large');
  // RFC 3261 §7.4.1
  if (header(req, 'content-type') === undefined)
    throw new MessageRefusedError('request-malformed', 'Missing Content-Type Header');
  const encoding = header(req, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  // What is no UTF-8 was replaced on its way here: the other phone would get something else (RFC 3261 §8.2.3).
  const isReplaced =
    body.includes('\ufffd') && headerNumber(req, 'content-length') !== Buffer.byteLength(body);
  if (encoding !== 'identity' || isReplaced)
    throw new MessageRefusedError('body-unsupported', 'Unsupported Media Type', {
      'Accept-Encoding': 'identity',
    });
}

/** The number that a MESSAGE is for. Throws MessageRefusedError. */
export function dialledNumber(req: SrfRequest, isLocalHost: (host: string) => boolean): DialledNumber {
  const uri = parseUri(req.uri);
  const scheme = uri?.scheme ?? uriScheme(req.uri) ?? '';
  // RFC 3261 §8.2.2.1
  if (!['sip', 'sips', 'tel'].includes(scheme))
    throw new MessageRefusedError('scheme-unsupported', 'Unsupported URI Scheme');
  const number = uri?.user === undefined ? undefined : normaliseNumber(uri.user);
  if (!number) throw new MessageRefusedError('address-incomplete', 'Address Incomplete');
  if (scheme !== 'tel' && !isLocalHost(uri?.host ?? ''))
    throw new MessageRefusedError('foreign-domain', 'Domain Not Served Here');
  return number;
}
