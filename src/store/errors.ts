import { AppError, type ErrorContext, errorMessage } from '../platform/errors.js';

/**
 * What may go wrong with the Store.
 * STORE_UNAVAILABLE: away, too slow, full or refusing; try again later. STORE_URL_INVALID: `STORE_URL` cannot be used.
 * STORE_SCHEMA_UNKNOWN: the data was written by another version. STORE_ARGUMENT_INVALID: a key, limit or cursor out of range.
 */
export type StoreErrorCode =
  | 'STORE_UNAVAILABLE'
  | 'STORE_URL_INVALID'
  | 'STORE_SCHEMA_UNKNOWN'
  | 'STORE_ARGUMENT_INVALID';

/** Every failure of the Store. A SIP request that cannot go on without the Store hears 503 (RFC 3261 §21.5.4). */
export class StoreError extends AppError {
  declare readonly code: StoreErrorCode;

  constructor(
    code: StoreErrorCode,
    message: string,
    options: { cause?: unknown; context?: ErrorContext } = {},
  ) {
    super(code, message, { ...options, sipStatus: code === 'STORE_UNAVAILABLE' ? 503 : 500 });
  }
}

/** The Store did not do `what`; `cause` says why. */
export function unavailable(what: string, cause?: unknown): StoreError {
  const reason = cause === undefined ? '' : `: ${errorMessage(cause)}`;
  return new StoreError('STORE_UNAVAILABLE', `store ${what} failed${reason}`, { cause });
}

/** A caller's argument is out of range. */
export function invalidArgument(message: string): StoreError {
  return new StoreError('STORE_ARGUMENT_INVALID', message);
}
