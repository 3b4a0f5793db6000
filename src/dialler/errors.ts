import { AppError } from '../platform/errors.js';

/** An order that cannot be carried out. Each sentence says what to do. */
export class DialError extends AppError {
  declare readonly code: 'FIELD_INVALID' | 'DIALSVC_OFF' | 'DIALJOB_UNKNOWN' | 'DIAL_BUSY';

  constructor(code: DialError['code'], message: string, name = '') {
    super(code, message, { context: { name } });
  }
}
