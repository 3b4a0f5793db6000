import { AppError } from '../platform/errors.js';

/** A sound cannot be played: not there, no WAV, or in a form that is not taken. The message says what to do. */
export class SoundError extends AppError {
  constructor(message: string, cause?: unknown) {
    super('SOUND_UNUSABLE', message, { cause });
  }
}

/** No audio endpoint is to be had: all ports are taken, or the audio thread is away. */
export class AudioUnavailableError extends AppError {
  constructor(message: string, cause?: unknown) {
    super('AUDIO_UNAVAILABLE', message, { sipStatus: 503, cause });
  }
}
