import { SipParseError } from '../../../sip/errors.js';
import { isKeepAlive, parseMessage } from '../../../sip/parser.js';
import type { StreamParserUser } from '../../../sip/stream-parser.js';
import type { MessageReader } from '../link.js';

/** Reads WebSocket messages: each holds one whole SIP message (RFC 7118 §5.1) or a keep-alive. */
export class WholeMessageReader implements MessageReader {
  readonly pendingBytes = 0;
  private isClosed = false;

  constructor(private readonly user: StreamParserUser) {}

  push(bytes: Buffer): void {
    if (this.isClosed) return;
    // RFC 7118 §6, RFC 5626 §3.5.1: CRLFCRLF asks for CRLF, which alone is an answer.
    if (isKeepAlive(bytes)) {
      if (bytes.length >= 4) this.user.onPing();
      return;
    }
    const message = parse(bytes);
    if (message instanceof SipParseError) this.user.onError(message, false);
    else this.user.onMessage(message, bytes.length);
  }

  close(): void {
    this.isClosed = true;
  }
}

function parse(bytes: Buffer): ReturnType<typeof parseMessage> | SipParseError {
  try {
    return parseMessage(bytes);
  } catch (error) {
    if (error instanceof SipParseError) return error;
    throw error;
  }
}
