import type { SipRequest, SipResponse } from '../../sip/message.js';
import { parseNameAddr } from '../../sip/name-addr.js';
import { parseUri, type SipUri } from '../../sip/uri.js';
import { DEFAULT_PORTS, type Hop, type Source } from '../types.js';

/** Contacts whose connection is remembered; the oldest are forgotten first. */
export const MAX_REGISTERED_FLOWS = 50_000;

interface RegisteredFlow {
  readonly hop: Hop;
  /** Where the connection comes from. */
  readonly address: string;
  readonly port: number;
}

/** `df7jal23ls0d.invalid` */
const MIN_CHANCE_CHARS = 8 + '.invalid'.length;

/**
 * The connections that phones registered over (RFC 5626 §5.3 in effect): a request to such a Contact goes down its
 * connection, which often is the only way there. A browser's Contact is in the domain `invalid` (RFC 7118 §5).
 */
export class RegisteredFlows {
  private readonly byContact = new Map<string, RegisteredFlow>();

  /** A 2xx to a REGISTER over a connection: its Contact is reached by that connection from now on. */
  learn(request: SipRequest, source: Source, response: SipResponse): void {
    if (source.flow === undefined || response.statusCode >= 300) return;
    for (const value of request.list('contact')) {
      const contact = parseNameAddr(value);
      const uri = contact && parseUri(contact.uri);
      if (!contact || !uri || uri.scheme === 'tel') continue;
      const expires = contact.params.get('expires') ?? request.get('expires');
      const key = keyOf(uri);
      this.byContact.delete(key);
      if (expires === '0') continue;
      const { address, port } = source;
      this.byContact.set(key, { hop: hopTo(uri, source), address, port });
      if (this.byContact.size > MAX_REGISTERED_FLOWS)
        this.byContact.delete(this.byContact.keys().next().value!);
    }
  }

  /**
   * The way to a Contact that registered over a connection; undefined for all others. A next hop that the application
   * names in `routeUri` must be where that connection comes from: then it is the connection that was meant.
   */
  find(text: string, routeUri = ''): Hop | undefined {
    if (this.byContact.size === 0) return undefined;
    const uri = parseUri(text);
    const flow = uri && this.byContact.get(keyOf(uri));
    return flow && (routeUri === '' || isRouteTo(routeUri, flow)) ? flow.hop : undefined;
  }

  /**
   * The way to a phone that lost its connection and registered anew. Whoever may register could write another's Contact:
   * it must come from the same address as before, or be one that nobody else can know.
   */
  findAgain(target: string, address: string): Hop | undefined {
    const uri = parseUri(target);
    const flow = uri && this.byContact.get(keyOf(uri));
    return flow && (flow.address === address || isUnguessable(uri)) ? flow.hop : undefined;
  }
}

/** A Contact that only its phone can know: a browser's is made up by chance (RFC 7118 §5). */
function isUnguessable(uri: SipUri): boolean {
  return uri.host.endsWith('.invalid') && uri.host.length >= MIN_CHANCE_CHARS;
}

function keyOf(uri: SipUri): string {
  return `${uri.user}@${uri.host}`;
}

/** The connection; when it is gone a new one to the Contact, if that names the address the phone was seen at. */
function hopTo(uri: SipUri, { protocol, flow, address, port }: Source): Hop {
  const known = { protocol, address, ...(flow === undefined ? {} : { flow }) };
  if (uri.host === address) return { ...known, port: uri.port ?? DEFAULT_PORTS[protocol] };
  return { ...known, port, flowOnly: true };
}

function isRouteTo(routeUri: string, { hop, address, port }: RegisteredFlow): boolean {
  const uri = parseUri(routeUri);
  const transport = uri?.params.get('transport')?.toLowerCase();
  const isSame = transport === hop.protocol || (transport === 'ws' && hop.protocol === 'wss');
  return isSame && uri?.host === address && uri.port === port;
}
