import { canonicalKey, canonicalName } from '../../sip/header-names.js';

/** A header name as an application gave it, made fit for the wire. */
export interface Spelling {
  readonly name: string;
  readonly key: string;
}

/** RFC 3261 §25.1, token. */
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const MAX_REMEMBERED = 1024;
const remembered = new Map<string, Spelling | undefined>();

/**
 * The spelling and the key of a header name; undefined when it is no token (RFC 3261 §7.3.1). Names that start
 * with `X-` stay as they are, known ones get the RFC's spelling, others a capital after each dash.
 */
export function spellHeaderName(given: string): Spelling | undefined {
  const known = remembered.get(given);
  if (known !== undefined || remembered.has(given)) return known;
  const key = canonicalKey(given);
  const name = /^x-/i.test(given) ? given : canonicalName(key);
  const spelling = TOKEN.test(given) ? { name, key } : undefined;
  if (remembered.size < MAX_REMEMBERED) remembered.set(given, spelling);
  return spelling;
}
