import type { SipMessage } from './message.js';
import { type NameAddr, parseNameAddr } from './name-addr.js';
import { parseDeltaSeconds, parseQValue } from './numbers.js';

/** What a malformed expiry counts as; seconds (RFC 3261 §10.2.1.1). */
const MALFORMED_EXPIRES_SEC = 3600;

/** One Contact value (RFC 3261 §20.10). */
export interface Contact extends NameAddr {
  /** Preference 0..1; undefined when absent or malformed. */
  readonly q: number | undefined;
  /** Value of the `expires` parameter, seconds 0..2^32-1; a malformed one is 3600. Undefined when absent. */
  readonly expiresSec: number | undefined;
}

/** Parses one Contact value, not `*`; undefined when malformed. */
export function parseContact(text: string): Contact | undefined {
  const address = parseNameAddr(text);
  if (!address) return undefined;
  const expires = address.params.get('expires');
  return {
    ...address,
    q: parseQValue(address.params.get('q') ?? ''),
    expiresSec: expires === undefined ? undefined : (parseDeltaSeconds(expires) ?? MALFORMED_EXPIRES_SEC),
  };
}

/**
 * All Contacts of a message: `'*'` when the one value is the asterisk, else the list, empty when there are none.
 * Undefined when any is malformed or `*` stands beside another: a 400 (RFC 3261 §20.10, §10.3 item 6).
 */
export function parseContacts(message: SipMessage): '*' | Contact[] | undefined {
  const items = message.list('contact');
  if (items.length === 1 && items[0] === '*') return '*';
  const contacts: Contact[] = [];
  for (const item of items) {
    const contact = parseContact(item);
    if (!contact) return undefined;
    contacts.push(contact);
  }
  return contacts;
}

/** Value of the Expires header, seconds 0..2^32-1; a malformed one is 3600 (RFC 3261 §10.2.1.1). Undefined when absent. */
export function expiresOf(message: SipMessage): number | undefined {
  const text = message.get('expires');
  return text === undefined ? undefined : (parseDeltaSeconds(text) ?? MALFORMED_EXPIRES_SEC);
}
