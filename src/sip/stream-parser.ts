import { badRequest, type Problem, SipParseError } from './errors.js';
import { type Head, headError, parseHead } from './head.js';
import { MAX_HEADER_BYTES, MAX_STREAM_MESSAGE_BYTES } from './limits.js';
import type { SipMessage } from './message.js';
import { StreamBuffer } from './stream-buffer.js';
import { isTokenCode } from './token.js';

const CR = 0x0d;
const LF = 0x0a;

const NOT_SIP = badRequest('Bad Start Line');
/** RFC 3261 §20.14: mandatory on streams. */
const NO_CONTENT_LENGTH = badRequest('Missing Content-Length Header');
const HEADERS_TOO_LARGE: Problem = { statusCode: 513, reasonPhrase: 'Message Too Large' };
const BODY_TOO_LARGE: Problem = { statusCode: 413, reasonPhrase: 'Request Entity Too Large' };

/** What a StreamParser tells its owner, from within push(). */
export interface StreamParserUser {
  /** A well-formed message. `sizeBytes` is what it took on the wire. */
  onMessage(message: SipMessage, sizeBytes: number): void;
  /** CRLFCRLF: to be answered with CRLF (RFC 5626 §3.5.1). A lone CRLF, the answer to our own ping, is skipped. */
  onPing(): void;
  /**
   * A message that is not acceptable. When `isFatal` the end of the message cannot be told: the parser is dead and the
   * connection is to be closed, after a response to `error.request` if there is one. Else parsing goes on behind it.
   */
  onError(error: SipParseError, isFatal: boolean): void;
}

/** Bounds of one message in a stream; bytes. */
export interface StreamLimits {
  readonly maxHeaderBytes: number;
  readonly maxMessageBytes: number;
}

const DEFAULT_LIMITS: StreamLimits = {
  maxHeaderBytes: MAX_HEADER_BYTES,
  maxMessageBytes: MAX_STREAM_MESSAGE_BYTES,
};

/**
 * Cuts a byte stream into messages (RFC 3261 §18.3, §7.5). Each byte is looked at a bounded number of times however
 * the stream is cut into chunks; memory is bounded by one message. Synchronous: nothing comes after close().
 */
export class StreamParser {
  private readonly buffer = new StreamBuffer();
  /** Where the search for the empty line goes on; relative to the buffer's start. */
  private scanned = 0;
  private lineBreaks = 0;
  /** Head of the message whose body is still coming. */
  private head: Head | undefined;
  private dead = false;
  private busy = false;

  constructor(
    private readonly user: StreamParserUser,
    private readonly limits: StreamLimits = DEFAULT_LIMITS,
  ) {}

  /** True after a fatal error or close(): further input is ignored. */
  get isDead(): boolean {
    return this.dead;
  }

  /** Bytes held of an unfinished message; for a limit on how long a peer may take to finish it. */
  get pendingBytes(): number {
    return this.buffer.length;
  }

  /** Takes the next bytes of the stream; `chunk` may be reused by the caller afterwards. */
  push(chunk: Buffer): void {
    if (this.dead || chunk.length === 0) return;
    this.buffer.append(chunk);
    if (this.busy) return;
    this.busy = true;
    try {
      while (!this.dead && this.step()) {}
    } finally {
      this.busy = false;
    }
    this.buffer.settle();
  }

  /** Stops for good and lets go of what is held; may be called from a callback. */
  close(): void {
    this.dead = true;
    this.head = undefined;
    this.buffer.clear();
  }

  /** Takes one thing out of the buffer; false when more bytes are needed. */
  private step(): boolean {
    if (this.head) return this.takeMessage(this.head);
    if (this.scanned === 0 && !this.skipLineBreaks()) return false;
    const end = this.findHeadEnd();
    if (end < 0) return false;
    const head = parseHead(this.buffer.text(end), 0);
    const fault = this.framingProblem(head, end);
    if (fault) return this.fail(headError(head, fault));
    this.head = { ...head, bodyAt: end };
    return true;
  }

  /** Skips what may stand between messages (RFC 3261 §7.5); true at the first byte of a start line. */
  private skipLineBreaks(): boolean {
    while (this.buffer.length > 0) {
      const code = this.buffer.at(0);
      if (code !== CR && code !== LF) {
        this.lineBreaks = 0;
        // Anything else, say a TLS hello, would be collected in vain.
        return isTokenCode(code) || this.fail(new SipParseError(NOT_SIP));
      }
      this.buffer.drop(1);
      if (code === LF && ++this.lineBreaks === 2) this.ping();
      if (this.dead) return false;
    }
    return false;
  }

  private ping(): void {
    this.lineBreaks = 0;
    this.user.onPing();
  }

  /** Length of the header section with its empty line; -1 when it is not complete, or too long. */
  private findHeadEnd(): number {
    const { buffer } = this;
    const limit = this.limits.maxHeaderBytes;
    for (let lf = buffer.indexOf(LF, this.scanned); lf >= 0; lf = buffer.indexOf(LF, lf + 1)) {
      this.scanned = lf + 1;
      const before = buffer.at(lf - 1) === CR ? lf - 2 : lf - 1;
      if (lf < limit && before >= 0 && buffer.at(before) === LF) return lf + 1;
    }
    this.scanned = buffer.length;
    if (buffer.length >= limit) this.fail(new SipParseError(HEADERS_TOO_LARGE));
    return -1;
  }

  /** A fault that leaves the end of the message unknown, or too far away. */
  private framingProblem(head: Head, headBytes: number): Problem | undefined {
    if (!head.message) return head.problem ?? NOT_SIP;
    if (head.contentLength === undefined)
      return head.message.has('content-length') ? badRequest('Bad Content-Length Header') : NO_CONTENT_LENGTH;
    return head.contentLength > this.limits.maxMessageBytes - headBytes ? BODY_TOO_LARGE : undefined;
  }

  /** Hands the message out once its body is there. */
  private takeMessage(head: Head): boolean {
    const { message, problem } = head;
    const sizeBytes = head.bodyAt + (head.contentLength ?? 0);
    if (!message || this.buffer.length < sizeBytes) return false;
    const text = this.buffer.text(sizeBytes);
    message.bodyText = text.substring(head.bodyAt);
    if (!head.hasBareLf) message.wireText = text;
    this.buffer.drop(sizeBytes);
    this.head = undefined;
    this.scanned = 0;
    if (problem) this.user.onError(headError(head, problem), false);
    else this.user.onMessage(message, sizeBytes);
    return true;
  }

  private fail(error: SipParseError): false {
    this.close();
    this.user.onError(error, true);
    return false;
  }
}
