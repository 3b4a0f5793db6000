import { errorMessage } from '../platform/errors.js';
import { reasonPhrase } from '../sip/reason-phrases.js';
import { SignallingError } from './errors.js';
import type { SrfHeaders, SrfMessage, SrfRequest, SrfResponse, SrfSendOptions } from './srf-types.js';
import { sendableStatus } from './status.js';

/** Values by header name; a list becomes one header line for each element. */
export type OutgoingHeaders = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export interface ResponseContent {
  /** Reason phrase; the standard one when absent. */
  readonly reason?: string;
  readonly headers?: OutgoingHeaders;
  readonly body?: string;
  /** Gets the ACK of a 200 to INVITE, or the PRACK of a reliable provisional. */
  readonly onAck?: (ack: SrfRequest) => void;
}

/** A value fit for a header line: control characters, CR and LF above all, become spaces (RFC 3261 §25.1). */
export function cleanHeaderValue(value: string): string {
  return value.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
}

/**
 * Headers as srf takes them, cleaned. srf would join a list with commas, which no digest client can read back, so
 * further elements go as header lines of their own behind the first: the engine's protocol is made of lines.
 */
export function wireHeaders(headers: OutgoingHeaders): SrfHeaders {
  const result: SrfHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || !/^[\w\-.!%*+`'~]+$/.test(name)) continue;
    const values = (Array.isArray(value) ? (value as string[]) : [String(value)]).map(cleanHeaderValue);
    if (values.length > 0) result[name] = values.join(`\r\n${name}: `);
  }
  return result;
}

/**
 * Sends a response and resolves what left for the wire. Rejects with SignallingError: RESPONSE_REFUSED when the engine
 * would not send it (request cancelled or answered, transport gone), ENGINE_LOST when the connection closed first.
 */
export function respond(
  res: SrfResponse,
  status: number,
  content: ResponseContent = {},
): Promise<SrfMessage> {
  return new Promise((resolve, reject) => {
    const unwatch = rejectWhenClosed(res, reject);
    const sent = (error: unknown, message?: SrfMessage): void => {
      unwatch();
      if (message && !error) resolve(message);
      else reject(refused(status, error));
    };
    try {
      send(res, status, content, sent);
    } catch (error) {
      sent(error);
    }
  });
}

/** As `respond`, without waiting for the outcome, which saves reading the engine's echo. Never throws. */
export function respondOnly(res: SrfResponse, status: number, content: ResponseContent = {}): void {
  try {
    send(res, status, content, undefined);
  } catch {
    // The connection is gone, and the transaction with it.
  }
}

function send(
  res: SrfResponse,
  status: number,
  content: ResponseContent,
  callback: ((error: unknown, sent?: SrfMessage) => void) | undefined,
): void {
  const options: SrfSendOptions = { headers: wireHeaders(content.headers ?? {}) };
  if (content.body) options.body = content.body;
  const reason = cleanHeaderValue(content.reason ?? reasonPhrase(status));
  res.send(sendableStatus(status), reason, options, callback, content.onAck);
}

function refused(status: number, error: unknown): SignallingError {
  return new SignallingError('RESPONSE_REFUSED', `${status} was not sent: ${errorMessage(error)}`, {
    cause: error,
    context: { status },
  });
}

/** Sends under way by connection: srf forgets its callbacks when a connection closes. */
const pendingByLine = new WeakMap<object, Set<() => void>>();

interface Line {
  once(event: 'close', listener: () => void): unknown;
  readonly destroyed?: boolean;
}

/** Rejects when the engine's connection closes; returns the function that ends the watch. */
function rejectWhenClosed(res: SrfResponse, reject: (error: SignallingError) => void): () => void {
  const line = (res as { socket?: Line }).socket;
  if (!line) return () => undefined;
  const pending = pendingByLine.get(line) ?? watchLine(line);
  const lost = (): void => reject(new SignallingError('ENGINE_LOST', 'the connection to the engine closed'));
  pending.add(lost);
  return () => pending.delete(lost);
}

function watchLine(line: Line): Set<() => void> {
  const pending = new Set<() => void>();
  pendingByLine.set(line, pending);
  line.once('close', () => {
    for (const lost of pending) lost();
    pending.clear();
  });
  return pending;
}
