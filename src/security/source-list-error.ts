import { AppError } from '../platform/errors.js';

/** An entry of the black or white list cannot be made, changed or found. */
export class SourceListError extends AppError {
  constructor(code: 'SOURCE_EXISTS' | 'SOURCE_UNKNOWN' | 'FIELD_INVALID', message: string, name = '') {
    super(code, message, { context: { name } });
  }
}
