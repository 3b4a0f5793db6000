import { AppError } from '../platform/errors.js';

/** The phone could not do what it was told; `sipStatus` is the server's final answer, 408 when none came. */
export class PhoneError extends AppError {
  constructor(message: string, sipStatus: number) {
    super('PHONE_FAILED', message, { sipStatus });
  }
}
