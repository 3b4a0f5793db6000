import type { SrfRequest } from '../../signalling/srf-types.js';
import type { Leg } from '../leg.js';
import type { SavedLeg } from './saved-call.js';

/** Of the hop that an INVITE came by, of its body, or secret. */
const NOT_KEPT =
  /^(?:via|v|route|record-route|max-forwards|(?:proxy-)?authorization|content-.*|[cel]|mime-version)$/i;
/** Without these no leg can be made of it again. */
const ALWAYS_KEPT = /^(?:from|to|call-id|cseq|contact|[ftim])$/i;
const MAX_HEADER_CHARS = 2048;

/** What is kept of an INVITE: what a call may ask of it later. */
export function savedInvite({ uri, headers }: SrfRequest): SavedLeg['invite'] {
  const kept = Object.entries(headers).filter(
    ([name, value]) => !NOT_KEPT.test(name) && (value.length <= MAX_HEADER_CHARS || ALWAYS_KEPT.test(name)),
  );
  return { uri, headers: Object.fromEntries(kept) };
}

/** What all legs have in common. */
export function savedPlace({ name, side, party }: Leg): Pick<SavedLeg, 'name' | 'side' | 'party'> {
  return { name, side, party };
}
