import { AppError } from '../platform/errors.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import { type Cause, type CauseName, causeOf } from './causes.js';

/** A call attempt that ends before a phone is dialled: the caller hears the status, the record the cause. */
export class CallRefusedError extends AppError {
  readonly refusal: Cause;
  readonly headers: OutgoingHeaders;

  constructor(name: CauseName, why: string, headers: OutgoingHeaders = {}) {
    const cause = causeOf(name);
    super('CALL_REFUSED', why, { sipStatus: cause.status });
    this.refusal = cause;
    this.headers = headers;
  }
}

/** A request of ours got no final response: refused by the engine, the connection lost, or nothing came in time. */
export class NoResponseError extends AppError {
  /** True when the engine no longer knows the dialog. */
  readonly isDialogGone: boolean;

  constructor(message: string, cause?: unknown) {
    super('NO_RESPONSE', message, { sipStatus: 408, cause });
    this.isDialogGone = (cause as { code?: string } | undefined)?.code === 'ENODIALOG';
  }
}
