import { type DialledNumber, normaliseNumber } from '../routing/number.js';
import { header, headerList, numberOf } from '../signalling/request.js';
import type { SrfRequest } from '../signalling/srf-types.js';
import { parseNameAddr } from '../sip/name-addr.js';
import { parseUri, type SipUri, uriScheme } from '../sip/uri.js';
import { parseReplaces, type ReplacedDialog } from './replaces.js';

/** What a REFER asks for: a call to a number, or the other party of a call that its sender has. */
export interface Referral {
  readonly number: DialledNumber;
  readonly replaces?: ReplacedDialog;
  /** False when the sender wants no NOTIFY (RFC 4488 §4). */
  readonly wantsNotify: boolean;
}

/** Reads a REFER; a status when it is refused: other servers' numbers are nobody's to be called from here. */
export function readRefer(req: SrfRequest, isLocalHost: (host: string) => boolean): Referral | number {
  const values = headerList(req, 'refer-to');
  // RFC 3515 §2.4.2: exactly one Refer-To.
  const target = values.length === 1 ? parseNameAddr(values[0]!)?.uri : undefined;
  if (target === undefined) return 400;
  const uri = parseUri(target);
  if (!uri) return ['sip', 'sips', 'tel'].includes(uriScheme(target) ?? '') ? 400 : 416;
  if ((uri.params.get('method') ?? 'INVITE').toUpperCase() !== 'INVITE') return 403;
  if (uri.scheme !== 'tel' && !isLocalHost(uri.host)) return 403;
  const number = normaliseNumber(numberOf(target));
  if (!number) return 484;
  const replaces = replacesIn(uri);
  if (replaces === null) return 400;
  const wantsNotify = header(req, 'refer-sub')?.trim().toLowerCase() !== 'false';
  return { number, wantsNotify, ...(replaces && { replaces }) };
}

/** The Replaces in a URI's headers; undefined without one, null when it cannot be used (RFC 3891 §6.1). */
function replacesIn(uri: SipUri): ReplacedDialog | undefined | null {
  const values = uri.headers.filter(({ name }) => name.toLowerCase() === 'replaces');
  if (values.length === 0) return undefined;
  return (values.length === 1 && parseReplaces(values[0]!.value)) || null;
}
