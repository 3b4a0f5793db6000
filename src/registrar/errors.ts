import { AppError } from '../platform/errors.js';

/** A REGISTER that is refused; the peer hears `sipStatus` with the message as reason phrase and `headers`. */
export class RegisterRefusedError extends AppError {
  constructor(
    sipStatus: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super('REGISTER_REFUSED', message, { sipStatus });
  }
}

/** Bindings cannot be read and no last known state is there. */
export class BindingsUnavailableError extends AppError {
  constructor(cause: unknown) {
    super('BINDINGS_UNAVAILABLE', 'the Store is away and nothing is known of this address', {
      cause,
      sipStatus: 503,
    });
  }
}
