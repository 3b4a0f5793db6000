import { AppError } from '../platform/errors.js';

/** What an operator may hear about groups, numbers and codes. Each sentence says what to do. */
export type NumberingErrorCode = 'NUMBER_EXISTS' | 'NUMBER_UNKNOWN' | 'FIELD_INVALID';

/** A change of groups, numbers or codes that cannot be made. */
export class NumberingError extends AppError {
  declare readonly code: NumberingErrorCode;

  constructor(code: NumberingErrorCode, message: string, name = '') {
    super(code, message, { context: { name } });
  }
}

/** A field is out of range. */
export function invalid(message: string): NumberingError {
  return new NumberingError('FIELD_INVALID', message);
}
