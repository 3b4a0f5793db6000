import { AppError } from '../../platform/errors.js';

/** What an application asked for cannot be done; the message is the reason it is told. */
export class RefusedError extends AppError {
  constructor(reason: string) {
    super('ENGINE_REFUSED', reason);
  }
}
