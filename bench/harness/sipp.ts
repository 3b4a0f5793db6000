import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { programPath } from '../../test/support/peers.js';
import { stopProcess } from './measured-process.js';

/** Scenarios are read from the sources: the compiled tree holds only code. */
const SCENARIOS = fileURLToPath(new URL('../../../bench/scenarios/', import.meta.url));
const SOCKET_BUFFER_BYTES = 4_000_000;
/** Calls that are still up so long after the last one began have failed. */
const TAIL_MS = 8000;

export interface SippCounts {
  readonly made: number;
  readonly succeeded: number;
  readonly retransmissions: number;
  /** Calls begun a second, over the time in which they were begun. */
  readonly rate: number;
}

export interface LoadOptions {
  readonly dir: string;
  readonly scenario: string;
  /** `host:port` of what is tested. */
  readonly target: string;
  readonly port: number;
  readonly users: string;
  readonly rate: number;
  readonly calls: number;
  /** How long a call is up, milliseconds. */
  readonly holdMs?: number;
}

let count = 0;

/** Makes calls (or registrations) and resolves with the counts when all have ended, or after a bounded time. */
export async function runLoad(options: LoadOptions): Promise<SippCounts> {
  const { rate, calls, holdMs = 0 } = options;
  const { child, statistics } = caller(options);
  const exited = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), (calls / rate) * 1000 + holdMs + TAIL_MS);
  await exited;
  clearTimeout(timer);
  return readCounts(statistics, holdMs);
}

function caller(options: LoadOptions): { child: ChildProcess; statistics: string } {
  const { dir, scenario, target, port, users, rate, calls, holdMs = 0 } = options;
  const statistics = `${dir}/load-${++count}.csv`;
  const child = sipp(dir, statistics, [
    ...['-sf', `${SCENARIOS}${scenario}`, '-inf', users, '-p', String(port), target],
    ...['-r', String(rate), '-m', String(calls), '-l', '50000', '-d', String(holdMs)],
  ]);
  return { child, statistics };
}

/** Calls that stay up until they are dropped: their caller is gone then without a word. */
export class HeldCalls {
  private readonly child: ChildProcess;

  constructor(options: LoadOptions) {
    this.child = caller(options).child;
  }

  async drop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}

/** The called side: answers every call. */
export class Answerer {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static start(dir: string, port: number): Answerer {
    const child = sipp(dir, `${dir}/answer-${++count}.csv`, [
      '-sf',
      `${SCENARIOS}uas-answer.xml`,
      '-p',
      String(port),
    ]);
    return new Answerer(child, port);
  }

  stop(): Promise<void> {
    return stopProcess(this.child);
  }
}

function sipp(dir: string, statistics: string, args: readonly string[]): ChildProcess {
  const common = ['-i', '127.0.0.1', '-nostdin', '-t', 'u1', '-buff_size', String(SOCKET_BUFFER_BYTES)];
  const trace = ['-trace_stat', '-stf', statistics, '-fd', '1'];
  return spawn(programPath('sipp'), [...args, ...common, ...trace], { cwd: dir, stdio: 'ignore' });
}

/** The last line of sipp's statistics, by the names in its first. */
function readCounts(file: string, holdMs: number): SippCounts {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  const names = lines[0]?.split(';') ?? [];
  const last = lines.at(-1)?.split(';') ?? [];
  const value = (name: string): number => Number(last[names.indexOf(name)] ?? 0);
  const made = value('TotalCallCreated');
  return {
    made,
    succeeded: value('SuccessfulCall(C)'),
    retransmissions: value('Retransmissions(C)'),
    rate: made / Math.max(0.001, elapsedSec(last[names.indexOf('ElapsedTime(C)')]) - holdMs / 1000),
  };
}

/** `00:00:12` or `00:00:12:345000` as seconds. */
function elapsedSec(text = ''): number {
  const [hours = 0, minutes = 0, seconds = 0, micros = 0] = text.split(':').map(Number);
  return hours * 3600 + minutes * 60 + seconds + micros / 1e6;
}
