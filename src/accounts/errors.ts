import { AppError, type ErrorContext } from '../platform/errors.js';

/** What an operator may hear about an account. Each sentence says what to do. */
export type AccountErrorCode =
  | 'USER_EXISTS'
  | 'USER_UNKNOWN'
  | 'USERNAME_INVALID'
  | 'PASSWORD_WEAK'
  | 'FIELD_INVALID'
  | 'OPERATOR_EXISTS'
  | 'OPERATOR_UNKNOWN'
  | 'OPERATOR_LAST_ADMIN'
  | 'OPERATOR_HOURS'
  | 'CMDGROUP_EXISTS'
  | 'CMDGROUP_UNKNOWN';

/** A change of accounts that cannot be made. Messages never hold a password. */
export class AccountError extends AppError {
  declare readonly code: AccountErrorCode;

  constructor(code: AccountErrorCode, message: string, context?: ErrorContext) {
    super(code, message, { ...(context && { context }) });
  }
}
