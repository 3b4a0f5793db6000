import { AppError } from '../platform/errors.js';
import type { OutgoingHeaders } from '../signalling/respond.js';

/** A SUBSCRIBE or PUBLISH that is not taken; its sender hears the status and the message as reason phrase. */
export class EventRefusedError extends AppError {
  constructor(
    status: number,
    why: string,
    readonly headers: OutgoingHeaders = {},
  ) {
    super('EVENT_REFUSED', why, { sipStatus: status });
  }
}

/** The answer to a request for whatever was thrown. */
export function answerFor(error: unknown): { status: number; reason: string; headers: OutgoingHeaders } {
  if (error instanceof EventRefusedError)
    return { status: error.sipStatus, reason: error.message, headers: error.headers };
  if (!(error instanceof AppError)) return { status: 500, reason: 'Server Internal Error', headers: {} };
  if (error.code === 'BAD_REQUEST') return { status: 400, reason: error.message, headers: {} };
  if (error.code.startsWith('STORE') || error.code === 'TIMEOUT')
    return { status: 503, reason: 'Service Unavailable', headers: { 'Retry-After': 10 } };
  return { status: 500, reason: 'Server Internal Error', headers: {} };
}
