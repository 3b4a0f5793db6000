import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { threadTimes } from './cpu.js';

const PROBE = fileURLToPath(new URL('./probe.cjs', import.meta.url));
/** The compiled `ims` command. */
export const MAIN_JS = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 15_000;

export interface ProcessOptions {
  /** Its output and the list of its threads go here. */
  readonly dir: string;
  readonly env?: Readonly<Record<string, string>>;
  /** For Node itself: `--cpu-prof` and the like. */
  readonly nodeArgs?: readonly string[];
}

/** CPU milliseconds by what the thread does: `main`, `engine`, `relay`, and `other` for the threads of Node itself. */
export type RoleTimes = Readonly<Record<string, number>>;

/** A Node process whose CPU time and memory are read from outside. */
export class MeasuredNode {
  private constructor(
    private readonly child: ChildProcess,
    private readonly threadsFile: string,
    readonly outputFile: string,
  ) {}

  /** Runs a script, in production mode, until it says `ready`; rejects with what it wrote when it ends before. */
  static async start(
    script: string,
    args: readonly string[],
    options: ProcessOptions,
  ): Promise<MeasuredNode> {
    const name = `${options.dir}/${args[0] ?? 'script'}`;
    const outputFile = `${name}.log`;
    const output = openSync(outputFile, 'a');
    const threadsFile = `${name}-threads`;
    const nodeArgs = ['--expose-gc', '--require', PROBE, ...(options.nodeArgs ?? [])];
    const child = spawn(process.execPath, [...nodeArgs, script, ...args], {
      env: {
        ...(process.env as Record<string, string>),
        NODE_ENV: 'production',
        BENCH_THREADS_FILE: threadsFile,
        ...options.env,
      },
      stdio: ['ignore', output, output, 'ipc'],
    });
    const started = new MeasuredNode(child, threadsFile, outputFile);
    await started.ready();
    return started;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get output(): string {
    return readFileSync(this.outputFile, 'utf8');
  }

  /** CPU used so far. */
  roleTimes(): RoleTimes {
    const roles = new Map(
      readFileSync(this.threadsFile, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(' ', 2) as [string, string]),
    );
    const times: Record<string, number> = {};
    for (const [tid, ms] of threadTimes(this.pid)) {
      const role = roleName(roles.get(String(tid)));
      times[role] = (times[role] ?? 0) + ms;
    }
    return times;
  }

  /** Octets in use by all threads after a garbage collection, and the resident set. */
  async memory(): Promise<{ used: number; rss: number }> {
    this.child.send('bench-memory');
    for (;;) {
      const [message] = (await once(this.child, 'message')) as [{ benchMemory?: number; rss?: number }];
      if (message.benchMemory !== undefined) return { used: message.benchMemory, rss: message.rss ?? 0 };
    }
  }

  async stop(): Promise<void> {
    await stopProcess(this.child);
  }

  private async ready(): Promise<void> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), READY_TIMEOUT_MS);
    let fail = (): void => undefined;
    const exited = new Promise<never>((_, reject) => {
      fail = () => reject(new Error(`did not start:\n${this.output}`));
      this.child.once('exit', fail);
    });
    try {
      await Promise.race([once(this.child, 'message'), exited]);
    } finally {
      clearTimeout(timer);
      this.child.off('exit', fail);
    }
  }
}

/** Asks a process to end, and ends it when it does not. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}

/** What each role used between two looks. */
export function rolesBetween(before: RoleTimes, after: RoleTimes): RoleTimes {
  return Object.fromEntries(Object.entries(after).map(([role, ms]) => [role, ms - (before[role] ?? 0)]));
}

export function totalMs(times: RoleTimes): number {
  return Object.values(times).reduce((sum, ms) => sum + ms, 0);
}

/** A file of a run: made below the run's own directory. */
export function fileIn(dir: string, name: string): string {
  return join(dir, name);
}

function roleName(script: string | undefined): string {
  if (script === undefined) return 'other';
  if (script === 'main') return 'main';
  return /\/(engine|relay)\//.exec(script)?.[1] ?? 'other';
}
