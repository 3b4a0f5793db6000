import {
  contacts,
  cseqNumber,
  header,
  headerNumber,
  type PeerAddress,
  peerOf,
} from '../signalling/request.js';
import type { SrfRequest } from '../signalling/srf-types.js';
import type { Contact } from '../sip/contact.js';
import { parseUri, type SipUri } from '../sip/uri.js';
import { RegisterRefusedError } from './errors.js';

/** Contacts that one REGISTER may carry, and the length of each. */
const MAX_CONTACTS = 20;
const MAX_CONTACT_CHARS = 1024;
const MAX_USER_AGENT_CHARS = 256;
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
  /** `+sip.instance` with `reg-id` if any (RFC 5626 §4.1): tells one phone from another. */
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
}

/** User-Agent, cut to what is worth keeping; `''` when absent. */
export function userAgentOf(req: SrfRequest): string {
  return (header(req, 'user-agent') ?? '').slice(0, MAX_USER_AGENT_CHARS);
}

/** Reads what the registrar acts on. Throws BadRequestError or RegisterRefusedError. */
export function readRegister(req: SrfRequest): RegisterRequest {
  const request = {
    contacts: readContacts(contacts(req)),
    expiresSec: readExpires(req),
    callId: header(req, 'call-id') ?? '',
    cseq: cseqNumber(req),
    peer: peerOf(req),
    userAgent: userAgentOf(req),
  };
  // RFC 3261 §10.3 step 6
  if (request.contacts === '*' && request.expiresSec !== 0)
    throw new RegisterRefusedError(400, 'Contact * Needs Expires 0');
  return request;
}

function readExpires(req: SrfRequest): number | undefined {
  const sec = headerNumber(req, 'expires');
  return Number.isNaN(sec) ? MALFORMED_EXPIRES_SEC : sec;
}

function readContacts(values: readonly Contact[] | '*'): readonly RequestedContact[] | '*' {
  if (values === '*') return values;
  if (values.length > MAX_CONTACTS) throw new RegisterRefusedError(403, 'Too Many Contacts');
  return values.map(readContact);
}

function readContact(value: Contact): RequestedContact {
  // RFC 3261 §10.3 step 6: * stands alone. It is no URI, so a * among others ends here or in the parser before.
  const uri = value.uri.length <= MAX_CONTACT_CHARS ? parseUri(value.uri) : undefined;
  if (!uri || uri.scheme === 'tel') throw new RegisterRefusedError(400, 'Bad Contact URI');
  return {
    contact: value.uri,
    uri,
    q: value.q ?? 1,
    expiresSec: value.expiresSec,
    instance: readInstance(value),
  };
}

function readInstance(value: Contact): string | undefined {
  const instance = value.params.get('+sip.instance')?.replace(/^"|"$/g, '').toLowerCase();
  return instance
    ? `${instance.slice(0, 200)};${(value.params.get('reg-id') ?? '').slice(0, 10)}`
    : undefined;
}
