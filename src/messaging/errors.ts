import type { CallResult } from '../cdr/types.js';
import { AppError } from '../platform/errors.js';
import type { OutgoingHeaders } from '../signalling/respond.js';

/** Every reason for which a message is refused: the status that its sender hears (RFC 3261 §21.4) and the result in its record. */
const REFUSALS = {
  'request-malformed': { status: 400, result: 'FAILED' },
  'from-mismatch': { status: 403, result: 'REJECTED' },
  'callee-suspended': { status: 403, result: 'REJECTED' },
  'callee-unknown': { status: 404, result: 'FAILED' },
  'foreign-domain': { status: 404, result: 'FAILED' },
  'message-too-large': { status: 413, result: 'FAILED' },
  'body-unsupported': { status: 415, result: 'FAILED' },
  'scheme-unsupported': { status: 416, result: 'FAILED' },
  'extension-required': { status: 420, result: 'FAILED' },
  'callee-unreachable': { status: 480, result: 'FAILED' },
  'sender-too-fast': { status: 480, result: 'REJECTED' },
  'mailbox-full': { status: 480, result: 'FAILED' },
  'too-many-hops': { status: 483, result: 'FAILED' },
  'address-incomplete': { status: 484, result: 'FAILED' },
  'server-error': { status: 500, result: 'ABNORMAL' },
  'server-draining': { status: 503, result: 'FAILED' },
  'store-unavailable': { status: 503, result: 'FAILED' },
} as const satisfies Record<string, { status: number; result: CallResult }>;

export type MessageRefusal = keyof typeof REFUSALS;

/** A message that is not taken; its sender hears the status and the message as reason phrase. */
export class MessageRefusedError extends AppError {
  readonly result: CallResult;

  constructor(
    readonly refusal: MessageRefusal,
    why: string,
    readonly headers: OutgoingHeaders = {},
  ) {
    super('MESSAGE_REFUSED', why, { sipStatus: REFUSALS[refusal].status });
    this.result = REFUSALS[refusal].result;
  }
}

/** The refusal for whatever was thrown. */
export function refusalOf(error: unknown): MessageRefusedError {
  if (error instanceof MessageRefusedError) return error;
  if (!(error instanceof AppError)) return new MessageRefusedError('server-error', 'Server Internal Error');
  if (error.code === 'BAD_REQUEST') return new MessageRefusedError('request-malformed', error.message);
  if (error.code.startsWith('STORE') || error.code === 'TIMEOUT')
    return new MessageRefusedError('store-unavailable', 'Service Unavailable', { 'Retry-After': 10 });
  return new MessageRefusedError('server-error', 'Server Internal Error');
}
