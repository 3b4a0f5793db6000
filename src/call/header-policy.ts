import { header, headerList, headerNumber } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfMessage, SrfRequest } from '../signalling/srf-types.js';
import { escapeUser } from '../sip/escape.js';
import { formatNameAddr } from '../sip/name-addr.js';
import { ParamList } from '../sip/param-list.js';
import type { Cause } from './causes.js';

/**
 * What crosses from one leg to the other. All else is made anew on each leg: Call-ID, tags, CSeq, Via, Contact, Route,
 * User-Agent, Allow, Supported (RFC 7092 §3.1). Identity is what we authenticated, not what the caller wrote.
 */
const INVITE_HEADERS = [
  'Subject',
  'Priority',
  'Alert-Info',
  'User-to-User',
  'In-Reply-To',
  'Accept-Language',
];
const PROVISIONAL_HEADERS = ['Alert-Info', 'User-to-User', 'Subject'];
const ANSWER_HEADERS = ['User-to-User', 'Subject'];
const BYE_HEADERS = ['Reason', 'User-to-User'];
const CANCEL_HEADERS = ['Reason'];
const MID_CALL_HEADERS = [
  'Content-Type',
  'Content-Disposition',
  'Content-Encoding',
  'Info-Package',
  'Accept',
  'Subject',
];

/** Extension headers of the parties' own (X-…) go along, as many and as long as this. */
const MAX_EXTENSION_HEADERS = 16;
const MAX_HEADER_LENGTH = 1024;
/** All but the one by which we give the engine routes (RFC 3327 §5.1): no caller says where our requests go. */
const EXTENSION_HEADER = /^x-(?!preloaded-route$)/i;

/** Name that we give ourselves in User-Agent and Server. */
export const PRODUCT = 'ims-b2bua';

/** RFC 3261 §8.1.1.6: the value when the caller sent none. */
const DEFAULT_MAX_FORWARDS = 70;

/** The headers of those names that `message` has, and its X- headers, each within bounds. */
function pick(message: SrfMessage, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = header(message, name);
    if (value !== undefined && value.length <= MAX_HEADER_LENGTH) picked[name] = value;
  }
  const extensions = Object.keys(message.headers).filter((name) => EXTENSION_HEADER.test(name));
  for (const name of extensions.slice(0, MAX_EXTENSION_HEADERS)) {
    const value = message.headers[name];
    if (value !== undefined && value.length <= MAX_HEADER_LENGTH) picked[name] = value;
  }
  return picked;
}

/** Max-Forwards for the B leg: one less than the caller's (RFC 3261 §8.1.1.6); below 0 the call has looped. */
export function nextMaxForwards(invite: SrfMessage): number {
  return Math.min(headerNumber(invite, 'max-forwards') ?? DEFAULT_MAX_FORWARDS, 255) - 1;
}

/** Extensions that a call has and says so: RFC 3891, RFC 4028. */
export const CALL_EXTENSIONS: readonly string[] = ['replaces', 'timer'];
/** Supported of our INVITEs and their answers. */
export const SUPPORTED = CALL_EXTENSIONS.join(', ');

/**
 * What a caller may require. Reliable provisionals (RFC 3262) are a matter of one leg: the engine makes ours reliable for a caller
 * that requires them, and we say `Supported: 100rel` to phones that want it only.
 */
export const INVITE_EXTENSIONS: readonly string[] = [...CALL_EXTENSIONS, '100rel'];

/** Whether a message names an option tag in Require or Supported. */
export function hasOption(message: SrfMessage, name: 'require' | 'supported', tag: string): boolean {
  return headerList(message, name).some((one) => one.toLowerCase() === tag);
}

/** Option tags that a party requires and that are not among what we have for such a request (RFC 3261 §8.2.2.3). */
export function unsupportedExtensions(req: SrfMessage, has: readonly string[] = []): string[] {
  return headerList(req, 'require')
    .map((tag) => tag.toLowerCase())
    .filter((tag) => !has.includes(tag));
}

/** Who calls, as the callee may see it. */
export interface CallerIdentity {
  readonly user: string;
  readonly displayName: string;
  /** RFC 3323: the caller asked not to be shown. */
  readonly isAnonymous: boolean;
}

/** True when the caller asks for privacy, by RFC 3323 §4.1 or RFC 3325 §9.3. */
export function wantsPrivacy(invite: SrfMessage, fromUri: string): boolean {
  const values = (header(invite, 'privacy') ?? '').toLowerCase().split(/[;,\s]+/);
  return values.some((value) => value === 'id' || value === 'user') || /@anonymous\.invalid\b/i.test(fromUri);
}

/** What we say of ourselves in an INVITE, or in its 2xx (RFC 3261 §13.2.1, §13.3.1.4). */
export function ownHeaders(allow: string, as: 'User-Agent' | 'Server'): OutgoingHeaders {
  return { Allow: allow, Supported: SUPPORTED, [as]: PRODUCT };
}

/**
 * Headers of a B leg's INVITE. `host` names this server in From and To; `localhost` has the engine put its own address.
 */
export function calleeInviteHeaders(
  invite: SrfMessage,
  caller: CallerIdentity,
  calleeUser: string,
  host: string,
  allow: string,
): OutgoingHeaders {
  const from = caller.isAnonymous
    ? { displayName: 'Anonymous', uri: 'sip:anonymous@anonymous.invalid', params: new ParamList() }
    : {
        displayName: caller.displayName,
        uri: `sip:${escapeUser(caller.user)}@${host}`,
        params: new ParamList(),
      };
  return {
    ...pick(invite, INVITE_HEADERS),
    From: formatNameAddr(from),
    To: `<sip:${escapeUser(calleeUser)}@${host}>`,
    'Max-Forwards': nextMaxForwards(invite),
    ...(caller.isAnonymous && { Privacy: 'id' }),
    ...ownHeaders(allow, 'User-Agent'),
  };
}

/** Headers for the caller of a provisional response that the callee's phone sent. */
export function provisionalHeaders(fromCallee: SrfMessage): OutgoingHeaders {
  return { ...pick(fromCallee, PROVISIONAL_HEADERS), Server: PRODUCT };
}

/** Headers for the caller of the callee's 200. */
export function answerHeaders(fromCallee: SrfMessage, allow: string): OutgoingHeaders {
  return { ...pick(fromCallee, ANSWER_HEADERS), ...ownHeaders(allow, 'Server') };
}

/**
 * The Contact of a 200 to a caller that comes into a conference room (RFC 4579 §4). The engine puts its own address for `localhost`.
 * Scheme and transport are the caller's (RFC 3261 §12.1.1).
 */
export function focusContact({ uri, protocol }: SrfRequest, room: string): OutgoingHeaders {
  const scheme = uri.startsWith('sips:') ? 'sips' : 'sip';
  const transport = protocol === 'udp' ? '' : `;transport=${protocol === 'wss' ? 'ws' : protocol}`;
  return { Contact: `<${scheme}:${escapeUser(room)}@localhost${transport}>;isfocus` };
}

/** Headers of the BYE that passes the other party's BYE on (RFC 3326 §2). */
export function byeHeaders(bye: SrfMessage): OutgoingHeaders {
  return pick(bye, BYE_HEADERS);
}

/** Headers of the CANCEL that passes the caller's CANCEL on. */
export function cancelHeaders(cancel: SrfMessage): OutgoingHeaders {
  return pick(cancel, CANCEL_HEADERS);
}

/** Headers of a request or response inside the dialog that goes through to the other party. */
export function midCallHeaders(message: SrfMessage): OutgoingHeaders {
  return pick(message, MID_CALL_HEADERS);
}

/** Reason for a party, with the SIP status behind the end when there is one (RFC 3326, RFC 6432). */
export function reasonHeader(cause: Cause, sip?: { status: number; text: string }): string {
  const q850 = `Q.850;cause=${cause.q850};text="${cause.name}"`;
  if (!sip) return q850;
  const text = sip.text.replace(/["\\]/g, '').slice(0, 128);
  return `SIP;cause=${sip.status};text="${text}", ${q850}`;
}

/** Reason of a CANCEL for phones that lost the race to another one (RFC 3326 §2). */
export const COMPLETED_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"';
