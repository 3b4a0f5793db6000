import { AppError } from '../platform/errors.js';

/** A description that cannot be used: malformed, or nothing in it can be relayed. The peer hears 488 (RFC 3261 §21.4.26). */
export class BadSdpError extends AppError {
  constructor(message: string, cause?: unknown) {
    super('BAD_SDP', message, { sipStatus: 488, cause });
  }
}
