import { wantsPrivacy } from '../call/header-policy.js';
import type { OutgoingCaller } from '../call/trunk-port.js';
import { header, headerList, party } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfMessage } from '../signalling/srf-types.js';
import { escapeUser } from '../sip/escape.js';
import { formatNameAddr, type NameAddr, parseNameAddr } from '../sip/name-addr.js';
import { ParamList } from '../sip/param-list.js';
import { parseUri } from '../sip/uri.js';
import type { Trunk } from './types.js';

/** RFC 3323 §4.1.1.3 */
const NOBODY = 'sip:anonymous@anonymous.invalid';

/** Who calls, as a trunk told it. */
export interface IncomingCaller {
  /** `anonymous` when it told nothing. */
  readonly number: string;
  readonly displayName: string;
  readonly isAnonymous: boolean;
}

/**
 * Reads who calls: P-Asserted-Identity (RFC 3325 §9.1), then Remote-Party-ID, of trunks that are believed; else From. A wish for
 * privacy hides the caller from phones; the record knows it.
 */
export function incomingCaller(
  req: SrfMessage,
  { trustIdentity }: Pick<Trunk, 'trustIdentity'>,
): IncomingCaller {
  const from = party(req, 'from');
  const asserted = trustIdentity ? assertedIdentity(req) : undefined;
  const { uri, displayName } = asserted ?? from;
  const rpi = trustIdentity ? remoteParty(req) : undefined;
  const isHiddenByRpi = rpi !== undefined && /^(?:full|uri)$/i.test(rpi.params.get('privacy') ?? '');
  return {
    number: userOf(uri),
    displayName,
    isAnonymous: wantsPrivacy(req, from.uri) || isHiddenByRpi,
  };
}

function assertedIdentity(req: SrfMessage): NameAddr | undefined {
  const values = headerList(req, 'p-asserted-identity').map((value) => parseNameAddr(value));
  return values.find((value) => value !== undefined && userOf(value.uri) !== 'anonymous') ?? remoteParty(req);
}

function remoteParty(req: SrfMessage): NameAddr | undefined {
  const value = headerList(req, 'remote-party-id')[0];
  return value === undefined ? undefined : parseNameAddr(value);
}

/** The number in a URI without its parameters and separators (RFC 3966 §5.1.1). */
function userOf(uriText: string): string {
  const uri = parseUri(uriText);
  const user = (uri?.user ?? '').split(';', 1)[0] ?? '';
  if (user === '') return 'anonymous';
  return /^\+?[\d\-.()]+$/.test(user) ? user.replace(/[-.()]/g, '') : user;
}

/** From, To and the identity headers of an INVITE to a trunk. `ownHost` stands for this server where the engine cannot put it. */
export function outgoingIdentity(
  trunk: Pick<Trunk, 'domain' | 'identity' | 'anonymous' | 'fromUser'>,
  numbers: { readonly called: string; readonly caller: string },
  { displayName, isAnonymous: wantsNoName }: OutgoingCaller,
  trunkHost: string,
  ownHost: string,
): OutgoingHeaders {
  const { domain, identity, anonymous, fromUser } = trunk;
  const isAnonymous = anonymous || wantsNoName;
  const nameAddr = (uri: string, name: string) =>
    formatNameAddr({ uri, displayName: name, params: new ParamList() });
  const uriOf = (user: string, host: string) => `sip:${escapeUser(user)}@${host}`;
  const from = isAnonymous
    ? nameAddr(NOBODY, 'Anonymous')
    : nameAddr(uriOf(fromUser || numbers.caller, domain || 'localhost'), displayName);
  const wantsPai = identity === 'PAI' || identity === 'BOTH';
  const wantsRpi = identity === 'RPI' || identity === 'BOTH';
  const name = wantsNoName ? '' : displayName;
  const rpiHost = domain || ownHost;
  return {
    From: from,
    To: `<${uriOf(numbers.called, trunkHost)}>`,
    // RFC 3323 §4.2: the wish goes along; RFC 3325 §9.3: and so does the identity, to those who are in the trust domain.
    Privacy: isAnonymous ? 'id' : undefined,
    ...(wantsPai && { 'P-Asserted-Identity': nameAddr(uriOf(numbers.caller, domain || 'localhost'), name) }),
    ...(wantsRpi && {
      'Remote-Party-ID': `${nameAddr(uriOf(numbers.caller, rpiHost), name)};party=calling;screen=yes;privacy=${isAnonymous ? 'full' : 'off'}`,
    }),
  };
}

/** The number that a trunk dialled: of the Request-URI, or of To when that names our registration (RFC 3261 §8.1.1.2). */
export function dialledNumber(
  req: SrfMessage & { readonly uri: string },
  ownUsers: readonly string[],
): string {
  const user = parseUri(req.uri)?.user ?? '';
  if (!ownUsers.includes(user)) return user;
  const called = headerList(req, 'p-called-party-id')[0] ?? header(req, 'to') ?? '';
  const uri = parseNameAddr(called)?.uri ?? '';
  return parseUri(uri)?.user ?? user;
}
