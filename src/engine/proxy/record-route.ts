import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseUri } from '../../sip/uri.js';
import { hostPortText, type LocalEnd, transportParam } from '../core/local-addressing.js';

const TOKEN_PARAM = 'tok';
/** Characters of base64url: 96 bits. */
const HASH_LENGTH = 16;

/**
 * The URIs that keep us on the way of a dialog (RFC 3261 §16.6 item 4). Each carries a token that only we can make and
 * that is good for its Call-ID alone: we pass on what belongs to calls that we were asked to stay in, and are no relay
 * for anything else.
 */
export class RecordRoutes {
  private readonly key: Buffer;

  /** With the same secret the calls of an engine live through its restart. */
  constructor(secret: string) {
    this.key = createHmac('sha256', secret).update('record-route').digest();
  }

  /**
   * The entries for a request that came in at one end of ours and leaves at another, top first: one, or two when the ends
   * differ, so that each side finds the end that it can reach (RFC 5658 §3). `nearest` is how near to this machine the
   * two sides are.
   */
  entries(
    callId: string,
    isSecure: boolean,
    ends: { from: LocalEnd; to: LocalEnd },
    nearest: number,
  ): string[] {
    const token = this.token(callId, nearest);
    const from = routeUri(ends.from, isSecure);
    const to = routeUri(ends.to, isSecure);
    const entries = from === to ? [to] : [to, from];
    return entries.map((uri) => `<${uri};lr;${TOKEN_PARAM}=${token}>`);
  }

  /** For a URI that we made for this Call-ID: how near the next hop may be. Undefined for all others. */
  nearestOf(uriText: string, callId: string): number | undefined {
    if (!uriText.includes(`;${TOKEN_PARAM}=`)) return undefined;
    const given = parseUri(uriText)?.params.get(TOKEN_PARAM) ?? '';
    const nearest = Number(given[0]);
    const wanted = this.token(callId, nearest);
    if (given.length !== wanted.length || !/^[\x21-\x7e]+$/.test(given)) return undefined;
    return timingSafeEqual(Buffer.from(given), Buffer.from(wanted)) ? nearest : undefined;
  }

  private token(callId: string, nearest: number): string {
    const hash = createHmac('sha256', this.key).update(`${nearest} ${callId}`, 'latin1').digest('base64url');
    return `${nearest}${hash.slice(0, HASH_LENGTH)}`;
  }
}

/** Our end as a route without parameters of ours; RFC 3327 §4 for Path. */
export function routeUri({ protocol, sentBy }: LocalEnd, isSecure: boolean): string {
  const needsTransport = protocol !== 'udp' && !(isSecure && protocol === 'tls');
  const transport = needsTransport ? transportParam(protocol) : '';
  return `${isSecure ? 'sips' : 'sip'}:${hostPortText(sentBy)}${transport}`;
}
