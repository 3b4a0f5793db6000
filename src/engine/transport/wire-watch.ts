import type { SipMessage } from '../../sip/message.js';
import { serializeText } from '../../sip/serialize.js';
import type { Hop, Source } from '../types.js';
import { Traffic } from './traffic.js';
import type { BoundListener, WireTap } from './types.js';

/** Sees every message that could be parsed or was sent: counts it, and shows it to whoever wants to see it. */
export class WireWatch {
  readonly traffic = new Traffic();
  /** Told of each message while somebody wants to see them; undefined costs nothing. */
  tap: WireTap | undefined;

  /** Before anything is changed in the message. */
  received(message: SipMessage, source: Source): void {
    if (message.type === 'request') this.traffic.receivedRequest(source.protocol, message.method);
    else this.traffic.receivedResponse(source.protocol, message.statusCode);
    if (this.tap) this.tap(message.wireText ?? serializeText(message), false, source, localEnd(source));
  }

  sentRequest(bytes: Buffer, hop: Hop, listener: BoundListener): void {
    this.traffic.sentRequest(hop.protocol, bytes);
    if (this.tap) this.tap(bytes.toString('latin1'), true, hop, listener);
  }

  sentResponse(bytes: Buffer, source: Source): void {
    this.traffic.sentResponse(source.protocol, bytes);
    if (this.tap) this.tap(bytes.toString('latin1'), true, source, localEnd(source));
  }
}

function localEnd({ localAddress, localPort }: Source): { address: string; port: number } {
  return { address: localAddress, port: localPort };
}
