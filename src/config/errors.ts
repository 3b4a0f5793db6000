import { AppError } from '../platform/errors.js';

/** A setting that cannot be used. The message is one line: key, what was given, what is allowed. The process exits with 2. */
export class ConfigError extends AppError {
  constructor(key: string, given: string, allowed: string) {
    super('CONFIG_INVALID', `${key}: '${given}' is not usable; allowed: ${allowed}`, { context: { key } });
  }
}
