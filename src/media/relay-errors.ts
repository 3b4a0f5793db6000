import { AppError } from '../platform/errors.js';

/** What an operator may hear about relays. Each sentence says what to do. */
export type RelayErrorCode =
  | 'RELAY_EXISTS'
  | 'RELAY_UNKNOWN'
  | 'RELAY_BUSY'
  | 'RELAY_FIXED'
  | 'FIELD_INVALID';

/** A change of relays that cannot be made. */
export class RelayError extends AppError {
  declare readonly code: RelayErrorCode;

  constructor(code: RelayErrorCode, message: string, name = '') {
    super(code, message, { context: { name } });
  }
}
