import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../platform/errors.js';

/** What a running server tells its own tools (`ims mml`, `ims doctor`, tests): where it really listens. */
export interface RunFacts {
  readonly pid: number;
  readonly version: string;
  /** Wall milliseconds. */
  readonly startedAt: number;
  /** As `udp:127.0.0.1:5060`. */
  readonly sip: readonly string[];
  readonly mml: string;
  readonly adminSocket: string;
}

const FILE_NAME = 'ims.run.json';

/**
 * Claims DATA_DIR for this process. Throws when a live server holds it: two of them would write one journal.
 * The claim is a pid file; a file left by a process that is gone is taken over.
 */
export function claimDataDir(dataDir: string): { publish(facts: RunFacts): void; release(): void } {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, FILE_NAME);
  const held = readRunFacts(dataDir);
  if (held && held.pid !== process.pid && isAlive(held.pid)) {
    throw new AppError(
      'DATA_DIR_BUSY',
      `${dataDir} is used by a running server (pid ${held.pid}); stop it or set another DATA_DIR`,
    );
  }
  const write = (facts: Partial<RunFacts>): void => {
    writeFileSync(`${path}.new`, `${JSON.stringify(facts)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  write({ pid: process.pid });
  return { publish: write, release: () => rmSync(path, { force: true }) };
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

/** Whether a process with this id runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
