import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../platform/errors.js';
import { isProcessRunning, processMark } from '../platform/process-mark.js';

/** What a running server tells its own tools (`ims mml`, `ims doctor`, tests): where it really listens. */
export interface RunFacts {
  readonly pid: number;
  /** Tells the process from a later one with the same id. */
  readonly mark?: string | undefined;
  readonly version: string;
  /** Wall milliseconds. */
  readonly startedAt: number;
  /** As `udp:127.0.0.1:5060`. */
  readonly sip: readonly string[];
  readonly mml: string;
  /** The SSH console, when there is one. */
  readonly ssh?: string | undefined;
  readonly adminSocket: string;
}

const FILE_NAME = 'ims.run.json';

/**
 * Claims DATA_DIR for this process. Throws when a live server holds it: two of them would write one journal.
 * The claim is a file with the process in it; one left by a process that is gone is taken over.
 */
export function claimDataDir(dataDir: string): {
  publish(facts: Omit<RunFacts, 'pid' | 'mark'>): void;
  release(): void;
  /** The last run did not release it: a crash, or `kill -9`. */
  readonly wasLeft: boolean;
} {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, FILE_NAME);
  const held = readRunFacts(dataDir);
  if (held && held.pid !== process.pid && isAlive(held)) {
    throw new AppError(
      'DATA_DIR_BUSY',
      `${dataDir} is used by a running server (pid ${held.pid}); stop it or set another DATA_DIR`,
    );
  }
  const mine = { pid: process.pid, mark: processMark(process.pid) };
  const write = (facts: Omit<RunFacts, 'pid' | 'mark'> | undefined): void => {
    writeFileSync(`${path}.new`, `${JSON.stringify({ ...mine, ...facts })}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  write(undefined);
  return { publish: write, release: () => rmSync(path, { force: true }), wasLeft: held !== undefined };
}

/** Gives up this process's own claim, when it ends at once because it was told to. */
export function abandonDataDir(dataDir: string): void {
  if (readRunFacts(dataDir)?.pid === process.pid) rmSync(join(dataDir, FILE_NAME), { force: true });
}

/** Facts of the server on this DATA_DIR, running or crashed; undefined when there are none. */
export function readRunFacts(dataDir: string): RunFacts | undefined {
  const path = join(dataDir, FILE_NAME);
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunFacts;
  } catch {
    return undefined;
  }
}

/** Whether the server that wrote these facts still runs; another process may have its id since. */
export function isAlive({ pid, mark }: Pick<RunFacts, 'pid' | 'mark'>): boolean {
  return isProcessRunning(pid, mark);
}
