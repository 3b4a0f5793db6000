import {
  contacts,
  cseqNumber,
  header,
  headerList,
  headerNumber,
  type PeerAddress,
  peerOf,
} from '../signalling/request.js';
import type { SrfRequest } from '../signalling/srf-types.js';
import type { Contact } from '../sip/contact.js';
import { parseNameAddr } from '../sip/name-addr.js';
import { parseUri, type SipUri } from '../sip/uri.js';
import { RegisterRefusedError } from './errors.js';
import { instanceKey, isFlow } from './instance.js';

/** Contacts that one REGISTER may carry, and the length of each. */
const MAX_CONTACTS = 20;
const MAX_CONTACT_CHARS = 1024;
const MAX_USER_AGENT_CHARS = 256;
/** Proxies on the way to a phone, and the length of what each says of itself. */
const MAX_PATH = 8;
const MAX_PATH_CHARS = 512;
/** What a malformed Expires counts as (RFC 3261 §10.2.1.1). */
const MALFORMED_EXPIRES_SEC = 3600;

/** One Contact value of a REGISTER. */
export interface RequestedContact {
  /** As written, without <>. */
  readonly contact: string;
  readonly uri: SipUri;
  /** 0..1, 1 when absent (RFC 3261 §20.10). */
  readonly q: number;
  /** Seconds asked for by the `expires` parameter; undefined when absent. */
  readonly expiresSec: number | undefined;
  /** `+sip.instance` with `reg-id` if any (RFC 5626 §4.1): tells one phone from another, and its flows apart. */
  readonly instance: string | undefined;
}

/** What a REGISTER asks for, checked in itself (RFC 3261 §10.3 step 6). */
export interface RegisterRequest {
  /** Nothing given: a query. `*`: all bindings are to go. */
  readonly contacts: readonly RequestedContact[] | '*';
  /** The Expires header. */
  readonly expiresSec: number | undefined;
  readonly callId: string;
  readonly cseq: number;
  readonly peer: PeerAddress;
  readonly userAgent: string;
  /** The proxies on the way to the phone, nearest to us first: values of Path (RFC 3327 §5.3). */
  readonly path: readonly string[];
  /** A contact is one of several flows of its phone (RFC 5626 §6). */
  readonly isOutbound: boolean;
}

/** User-Agent, cut to what is worth keeping; `''` when absent. */
export function userAgentOf(req: SrfRequest): string {
  return (header(req, 'user-agent') ?? '').slice(0, MAX_USER_AGENT_CHARS);
}

/** Reads what the registrar acts on. Throws BadRequestError or RegisterRefusedError. */
export function readRegister(req: SrfRequest): RegisterRequest {
  const knowsOutbound = ['supported', 'require'].some((name) => hasTag(req, name, 'outbound'));
  const read = readContacts(contacts(req), knowsOutbound);
  const request = {
    contacts: read,
    expiresSec: readExpires(req),
    callId: header(req, 'call-id') ?? '',
    cseq: cseqNumber(req),
    peer: peerOf(req),
    userAgent: userAgentOf(req),
    path: readPath(req),
    isOutbound: read !== '*' && read.some(({ instance }) => instance !== undefined && isFlow(instance)),
  };
  // RFC 3261 §10.3 step 6
  if (request.contacts === '*' && request.expiresSec !== 0)
    throw new RegisterRefusedError(400, 'Contact * Needs Expires 0');
  return request;
}

/** RFC 3327 §5.3. Throws RegisterRefusedError for a way that no request could go. */
function readPath(req: SrfRequest): readonly string[] {
  const path = headerList(req, 'path');
  const isGood = path.every((value) => {
    const uri = value.length <= MAX_PATH_CHARS ? parseNameAddr(value)?.uri : undefined;
    const scheme = uri && parseUri(uri)?.scheme;
    return scheme === 'sip' || scheme === 'sips';
  });
  if (!isGood || path.length > MAX_PATH) throw new RegisterRefusedError(400, 'Bad Path Header');
  return path;
}

function hasTag(req: SrfRequest, name: string, tag: string): boolean {
  return headerList(req, name).some((item) => item.toLowerCase() === tag);
}

function readExpires(req: SrfRequest): number | undefined {
  const sec = headerNumber(req, 'expires');
  return Number.isNaN(sec) ? MALFORMED_EXPIRES_SEC : sec;
}

function readContacts(
  values: readonly Contact[] | '*',
  knowsOutbound: boolean,
): readonly RequestedContact[] | '*' {
  if (values === '*') return values;
  if (values.length > MAX_CONTACTS) throw new RegisterRefusedError(403, 'Too Many Contacts');
  return values.map((value) => readContact(value, knowsOutbound));
}

function readContact(value: Contact, knowsOutbound: boolean): RequestedContact {
  // RFC 3261 §10.3 step 6: * stands alone. It is no URI, so a * among others ends here or in the parser before.
  const uri = value.uri.length <= MAX_CONTACT_CHARS ? parseUri(value.uri) : undefined;
  if (!uri || uri.scheme === 'tel') throw new RegisterRefusedError(400, 'Bad Contact URI');
  return {
    contact: value.uri,
    uri,
    q: value.q ?? 1,
    expiresSec: value.expiresSec,
    instance: readInstance(value, knowsOutbound),
  };
}

/** RFC 5626 §6: reg-id counts with an instance and of a phone that says outbound, else it is as if it were not there. */
function readInstance(value: Contact, knowsOutbound: boolean): string | undefined {
  const id = value.params.get('+sip.instance')?.replace(/^"|"$/g, '').toLowerCase();
  if (!id) return undefined;
  const regId = value.params.get('reg-id') ?? '';
  return instanceKey(id, knowsOutbound && /^[1-9]\d{0,9}$/.test(regId) ? regId : '');
}
