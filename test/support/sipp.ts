import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freeTcpPort, freeUdpPort } from './free-port.js';
import { programPath } from './peers.js';
import type { TestServer } from './server.js';

/** The project's scenarios, seen from `.build/test/support`. */
const SCENARIOS = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'scenarios');
const KILL_AFTER_MS = 60_000;

export interface SippOptions {
  /** Name of a file in `scenarios/`, without `.xml`. */
  readonly scenario: string;
  /** Port of the server on 127.0.0.1. */
  readonly port: number;
  readonly transport?: 'udp' | 'tcp';
  /** Port that sipp binds to; a free one when absent. */
  readonly localPort?: number;
  /** Lines of the injection file: a call takes one after the other, and the first again after the last. */
  readonly lines?: readonly string[];
  /** Calls, default one for each line. */
  readonly calls?: number;
  /** Calls a second, default 10. */
  readonly rate?: number;
  readonly args?: readonly string[];
}

export interface SippResult {
  /** 0 when every call went as the scenario says. */
  readonly code: number | null;
  /** Screen and error log, for a failure's message. */
  readonly output: string;
}

/** Injection line of a subscriber: user and its credentials, then what else the scenario takes. */
export function subscriberLine(username: string, password: string, ...more: readonly string[]): string {
  return [username, `[authentication username=${username} password=${password}]`, ...more].join(';');
}

/** Runs a scenario as the caller to its end. */
export async function runSipp(options: SippOptions): Promise<SippResult> {
  const directory = mkdtempSync(join(tmpdir(), 'ims-sipp-'));
  const { transport = 'udp', lines = [] } = options;
  const localPort = options.localPort ?? (await (transport === 'udp' ? freeUdpPort() : freeTcpPort()));
  writeFileSync(join(directory, 'lines.csv'), `SEQUENTIAL\n${lines.join('\n')}\n`);
  const args = [
    ...['-sf', join(SCENARIOS, `${options.scenario}.xml`), '-i', '127.0.0.1', '-p', String(localPort)],
    ...['-m', String(options.calls ?? Math.max(1, lines.length)), '-r', String(options.rate ?? 10)],
    ...(lines.length > 0 ? ['-inf', 'lines.csv'] : []),
    ...(transport === 'tcp' ? ['-t', 't1'] : []),
    ...['-nostdin', '-timeout', '30', '-timeout_error', '-trace_err', '-error_file', 'errors.log'],
    ...(options.args ?? []),
    `127.0.0.1:${options.port}`,
  ];
  try {
    return await run(args, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * The same through a server: by its port for the transport. Rejects with what sipp and the server said when a call did
 * not go as the scenario says.
 */
export async function sippThrough(
  server: Pick<TestServer, 'sipPort' | 'output'>,
  options: Omit<SippOptions, 'port'>,
): Promise<void> {
  const { code, output } = await runSipp({ ...options, port: server.sipPort(options.transport ?? 'udp') });
  if (code === 0) return;
  throw new Error(`sipp: exit code ${code}\n${output.slice(-6000)}\n${server.output().slice(-2000)}`);
}

/** A scenario that waits for calls, on a port of its own, until it is stopped. */
export function startCallee(
  scenario: string,
  port: number,
  transport: 'udp' | 'tcp' = 'udp',
): { stop(): Promise<void> } {
  const directory = mkdtempSync(join(tmpdir(), 'ims-sipp-'));
  const args = ['-sf', join(SCENARIOS, `${scenario}.xml`), '-i', '127.0.0.1', '-p', String(port), '-nostdin'];
  if (transport === 'tcp') args.push('-t', 't1');
  const child = spawn(programPath('sipp'), args, { cwd: directory, stdio: 'ignore' });
  const closed = once(child, 'close');
  return {
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function run(args: readonly string[], directory: string): Promise<SippResult> {
  return new Promise((resolve) => {
    const child = spawn(programPath('sipp'), args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output = (output + chunk).slice(-8000);
      });
    }
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output: output + errorsIn(directory) });
    });
  });
}

function errorsIn(directory: string): string {
  try {
    return readFileSync(join(directory, 'errors.log'), 'utf8').slice(0, 8000);
  } catch {
    return '';
  }
}
