import { isIP } from 'node:net';
import type { SipRequest, SipResponse } from '../../sip/message.js';
import { parseNameAddr } from '../../sip/name-addr.js';
import { parseUri } from '../../sip/uri.js';
import type { Hop, Source } from '../types.js';

/** Contacts whose connection is remembered; the oldest are forgotten first. */
export const MAX_REGISTERED_FLOWS = 50_000;

/**
 * The connections that phones registered over (RFC 5626 §5.3 in effect): a request to such a Contact goes down its
 * connection, which often is the only way there. An application that names a next hop itself does not need this.
 */
export class RegisteredFlows {
  private readonly byContact = new Map<string, Hop>();

  /** A 2xx to a REGISTER over a connection: its Contact is reached by that connection from now on. */
  learn(request: SipRequest, source: Source, response: SipResponse): void {
    if (source.flow === undefined || response.statusCode >= 300) return;
    for (const value of request.list('contact')) {
      const address = parseNameAddr(value);
      const uri = address && parseUri(address.uri);
      if (!address || !uri || uri.scheme === 'tel') continue;
      const expires = address.params.get('expires') ?? request.get('expires');
      const key = `${uri.user}@${uri.host}`;
      this.byContact.delete(key);
      if (expires === '0') continue;
      const { protocol, flow } = source;
      const isLiteral = isIP(uri.host) !== 0;
      const hop = isLiteral
        ? { address: uri.host, port: uri.port ?? 5060 }
        : { address: source.address, port: source.port };
      this.byContact.set(key, { protocol, flow, ...hop });
      if (this.byContact.size > MAX_REGISTERED_FLOWS)
        this.byContact.delete(this.byContact.keys().next().value!);
    }
  }

  /** The way to a Contact that registered over a connection; undefined for all others. */
  find(text: string): Hop | undefined {
    if (this.byContact.size === 0) return undefined;
    const uri = parseUri(text);
    return uri && this.byContact.get(`${uri.user}@${uri.host}`);
  }
}
