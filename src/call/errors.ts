import { AppError } from '../platform/errors.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import { type Cause, type CauseName, causeOf } from './causes.js';

/** A call attempt that ends before a phone is dialled: the caller hears the status, the record the cause. */
export class CallRefusedError extends AppError {
  readonly refusal: Cause;
  readonly headers: OutgoingHeaders;
  /** Reason phrase, when it shall say more than the status. */
  readonly phrase: string | undefined;

  constructor(name: CauseName, why: string, headers: OutgoingHeaders = {}, phrase?: string) {
    const cause = causeOf(name);
    super('CALL_REFUSED', why, { sipStatus: cause.status });
    this.refusal = cause;
    this.headers = headers;
    this.phrase = phrase;
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
