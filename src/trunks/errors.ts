import { AppError } from '../platform/errors.js';

/** What an operator may hear about trunks and routes. Each sentence says what to do. */
export type TrunkErrorCode =
  | 'TRUNK_EXISTS'
  | 'TRUNK_UNKNOWN'
  | 'ROUTE_EXISTS'
  | 'ROUTE_UNKNOWN'
  | 'FIELD_INVALID';

/** A change of trunks or routes that cannot be made. */
export class TrunkError extends AppError {
  declare readonly code: TrunkErrorCode;

  constructor(code: TrunkErrorCode, message: string, name = '') {
    super(code, message, { context: { name } });
  }
}

/** A field is out of range. */
export function invalid(message: string): TrunkError {
  return new TrunkError('FIELD_INVALID', message);
}
