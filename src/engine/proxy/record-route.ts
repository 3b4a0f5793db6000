import { createHmac, timingSafeEqual } from 'node:crypto';
import { randomToken } from '../../platform/ids.js';
import { parseUri } from '../../sip/uri.js';
import { hostPortText, type LocalEnd } from '../core/local-addressing.js';
import type { Hop, Protocol } from '../types.js';

const TOKEN_PARAM = 'tok';
const WAY_PARAM = 'way';
/** Characters of base64url: 96 bits. */
const HASH_LENGTH = 16;
/** protocol, port, address, and for a connection its number and the engine's run. */
const WAY = /^(udp|tcp|tls|ws|wss)-(\d{1,5})-([0-9A-Fa-f.:]+)(?:-(\d+)-(\w+))?$/;

/** What our routes for one request say. */
export interface RouteFacts {
  readonly callId: string;
  /** For a sips: request (RFC 3261 §16.6 item 4). */
  readonly isSecure: boolean;
  /** Our ends towards caller and callee. */
  readonly from: LocalEnd;
  readonly to: LocalEnd;
  /** How near to this machine the two sides are (see CoreContext.nearness). */
  readonly nearest: number;
  /** The way back to the caller, when its Contact does not lead there: the connection it came on, or where a NAT let it out. */
  readonly back: Hop | undefined;
  /** The connection to the callee, when the callee made it. */
  readonly ahead: Hop | undefined;
}

/** A route that we wrote. */
export interface OwnRoute {
  /** How near to this machine the next hop may be. */
  readonly nearest: number;
  /** The way to the party that it is turned to. */
  readonly way: Hop | undefined;
}

/**
 * The URIs that keep us on the way of a dialog (RFC 3261 §16.6 item 4). Each carries a token that only we can make and
 * that is good for its Call-ID alone: we pass on what belongs to calls that we were asked to stay in, and are no relay
 * for anything else.
 */
export class RecordRoutes {
  private readonly key: Buffer;
  /** Connections are numbered anew in each run. */
  private readonly run = randomToken(6);

  /** With the same secret the calls of an engine live through its restart. */
  constructor(secret: string) {
    this.key = createHmac('sha256', secret).update('record-route').digest();
  }

  /**
   * The entries for a request, top first: one, or two when the ends differ, so that each side finds the end that it can
   * reach (RFC 5658 §3). Each tells the way to the party it is turned to, where that is no other's to find (RFC 5626 §5.1).
   */
  entries({ callId, isSecure, from, to, nearest, back, ahead }: RouteFacts): string[] {
    const entry = (uri: string, hop: Hop | undefined): string => {
      const way = hop ? this.wayText(hop) : '';
      const param = way === '' ? '' : `;${WAY_PARAM}=${way}`;
      return `<${uri};lr${param};${TOKEN_PARAM}=${this.token(callId, nearest, way)}>`;
    };
    const fromUri = routeUri(from, isSecure);
    const toUri = routeUri(to, isSecure);
    if (fromUri === toUri && !(back && ahead)) return [entry(toUri, back ?? ahead)];
    return [entry(toUri, ahead), entry(fromUri, back)];
  }

  /** What a URI says that we made for this Call-ID; undefined for all others. */
  read(uriText: string, callId: string): OwnRoute | undefined {
    if (!uriText.includes(`;${TOKEN_PARAM}=`)) return undefined;
    const params = parseUri(uriText)?.params;
    const given = params?.get(TOKEN_PARAM) ?? '';
    const way = params?.get(WAY_PARAM) ?? '';
    const nearest = Number(given[0]);
    const wanted = this.token(callId, nearest, way);
    if (given.length !== wanted.length || !/^[\x21-\x7e]+$/.test(given)) return undefined;
    if (!timingSafeEqual(Buffer.from(given), Buffer.from(wanted))) return undefined;
    return { nearest, way: this.parseWay(way) };
  }

  private token(callId: string, nearest: number, way: string): string {
    const text = `${nearest} ${way} ${callId}`;
    const hash = createHmac('sha256', this.key).update(text, 'latin1').digest('base64url');
    return `${nearest}${hash.slice(0, HASH_LENGTH)}`;
  }

  private wayText({ protocol, address, port, flow }: Hop): string {
    const connection = flow === undefined ? '' : `-${flow}-${this.run}`;
    return `${protocol}-${port}-${address.replace(/%.*/, '')}${connection}`;
  }

  private parseWay(text: string): Hop | undefined {
    const [, protocol, port, address, flow, run] = WAY.exec(text) ?? [];
    if (protocol === undefined || (run !== undefined && run !== this.run)) return undefined;
    const hop = { protocol: protocol as Protocol, address: address!, port: Number(port) };
    return flow === undefined ? hop : { ...hop, flow: Number(flow) };
  }
}

/** Our end as a route without parameters of ours; RFC 3327 §4 for Path. */
function routeUri({ protocol, sentBy }: LocalEnd, isSecure: boolean): string {
  const needsTransport = protocol !== 'udp' && !(isSecure && protocol === 'tls');
  const transport = needsTransport ? `;transport=${protocol}` : '';
  return `${isSecure ? 'sips' : 'sip'}:${hostPortText(sentBy)}${transport}`;
}
