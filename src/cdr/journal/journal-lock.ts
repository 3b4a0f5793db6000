import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../../platform/errors.js';
import { isProcessRunning, processMark } from '../../platform/process-mark.js';
import { JournalError } from '../errors.js';

/**
 * Holds a journal directory for this process: two writers would take each other's live calls for lost ones. The file
 * names the process by id and start time, so that one left by a killed process, or by another boot or container, is
 * recognised. Throws JournalError (JOURNAL_LOCKED). Returns what lets go.
 */
export function lockJournal(directory: string): () => void {
  const path = join(directory, 'lock');
  const mine = `${process.pid} ${processMark(process.pid) ?? ''}`;
  if (!tryWrite(path, mine)) {
    const holder = readHolder(path);
    if (holder === mine || isAlive(holder))
      throw new JournalError(
        'JOURNAL_LOCKED',
        `${directory} is in use by process ${holder.split(' ', 1)[0]}`,
      );
    rmSync(path, { force: true });
    if (!tryWrite(path, mine)) throw new JournalError('JOURNAL_LOCKED', `${directory} is in use`);
  }
  return () => {
    if (readHolder(path) === mine) rmSync(path, { force: true });
  };
}

function tryWrite(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new JournalError('JOURNAL_UNREADABLE', `${path} cannot be written`, errorMessage(error));
  }
}

function readHolder(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Whether the process that wrote this text still runs. */
function isAlive(holder: string): boolean {
  const match = /^(\d+) (.*)$/.exec(holder);
  if (!match) return false;
  const pid = Number(match[1]);
  // A text without a mark is from a system without /proc; where there is one, it is not from here.
  if (match[2] === '' && processMark(pid) !== undefined) return false;
  return isProcessRunning(pid, match[2]);
}
