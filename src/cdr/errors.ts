import { AppError, errorMessage } from '../platform/errors.js';

/**
 * JOURNAL_WRITE_FAILED: the disk took nothing (full, read-only, gone); calls go on, the entries are tried again.
 * JOURNAL_LOCKED: another process writes records in this directory. JOURNAL_UNREADABLE: the directory cannot be used.
 */
export type JournalErrorCode = 'JOURNAL_WRITE_FAILED' | 'JOURNAL_LOCKED' | 'JOURNAL_UNREADABLE';

/** A failure of the journal of records. */
export class JournalError extends AppError {
  declare readonly code: JournalErrorCode;

  constructor(code: JournalErrorCode, message: string, cause?: unknown) {
    const reason = cause === undefined ? '' : `: ${errorMessage(cause)}`;
    super(code, `${message}${reason}`, { cause });
  }
}
