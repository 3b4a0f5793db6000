import { AppError } from '../platform/errors.js';

/**
 * A failure between call control and the SIP engine. Codes: ENGINE_URL_INVALID, ENGINE_UNREACHABLE,
 * ENGINE_SECRET_REFUSED, ENGINE_LOST (the connection closed under an operation), RESPONSE_REFUSED (the engine would not
 * send a response: cancelled, answered before, transport gone).
 */
export class SignallingError extends AppError {}

/** The peer sent something that no handler can use; it hears `sipStatus` (400 unless told) and the message as reason phrase. */
export class BadRequestError extends AppError {
  constructor(message: string, sipStatus = 400) {
    super('BAD_REQUEST', message, { sipStatus });
  }
}
