import { createRequire } from 'node:module';
import type { SrfMessage, SrfRequest } from '../../src/signalling/srf-types.js';

const require = createRequire(import.meta.url);

/** srf's own reading of a message's text. */
export function srfMessage(text: string): SrfMessage {
  const SipMessage = require('drachtio-srf/lib/sip-parser/message') as new (text: string) => SrfMessage;
  return new SipMessage(text);
}

/** A request as srf hands it to a handler, from its text and where it came from. */
export function srfRequest(
  text: string,
  source: { protocol?: string; address?: string; port?: number } = {},
): SrfRequest {
  const Request = require('drachtio-srf/lib/request') as new (
    message: SrfMessage,
    meta: object,
  ) => SrfRequest;
  return new Request(srfMessage(text), {
    source: 'network',
    protocol: source.protocol ?? 'udp',
    address: source.address ?? '192.0.2.1',
    port: String(source.port ?? 5060),
    transactionId: 't1',
    dialogId: '',
  });
}
