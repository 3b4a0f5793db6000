import { AppError } from '../../platform/errors.js';

/** An application's byte stream is not made of frames; its connection must be closed. */
export class FrameError extends AppError {
  constructor(message: string) {
    super('ENGINE_FRAME', message);
  }
}

/** The payload of a frame is not a SIP message. */
export class PayloadError extends AppError {
  constructor(message: string) {
    super('ENGINE_PAYLOAD', message);
  }
}
