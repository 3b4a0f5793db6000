import { parseHead } from '../../sip/head.js';
import { SipRequest } from '../../sip/message.js';

/** A text of up to so many octets is kept as it is: without most of its fields it would not be much shorter. */
const MAX_KEPT_WHOLE = 512;
/** What a response is built from (RFC 3261 §8.2.6.2). */
const KEPT = new Set(['via', 'from', 'to', 'call-id', 'cseq']);

/**
 * What is left of a request in a transaction that only absorbs retransmissions any more: most of an engine's memory
 * would be requests whose final response was sent or taken up to 32 s ago. It is one text, which nothing else is kept
 * alive by, and is read again only in the rare case that somebody asks.
 */
export class LeanRequest {
  private readonly text: string;

  /** `ownsText`: nothing else stands in the string of its `wireText`, as in that of a datagram. */
  constructor(request: SipRequest, ownsText: boolean) {
    const { wireText } = request;
    if (ownsText && wireText !== undefined && wireText.length <= MAX_KEPT_WHOLE) {
      this.text = wireText;
      return;
    }
    let text = `${request.method} ${request.requestUri} SIP/2.0\r\n`;
    for (const { name, key, value } of request.headers) if (KEPT.has(key)) text += `${name}: ${value}\r\n`;
    // Copied: parts of a received message would keep the whole of it.
    this.text = Buffer.from(`${text}\r\n`, 'latin1').toString('latin1');
  }

  restore(): SipRequest {
    const { message } = parseHead(this.text, 0);
    return message?.type === 'request' ? message : new SipRequest('', '');
  }
}
