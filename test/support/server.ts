import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { importUsers } from '../../src/accounts/import-users.js';
import { StoredUsers } from '../../src/accounts/stored-users.js';
import { type RunFacts, readRunFacts } from '../../src/app/run-file.js';
import { withStore } from '../../src/cli/with-store.js';
import { loadConfig } from '../../src/config/load.js';
import { runMml } from '../../src/mml/transport/run-mml.js';
import { withDeadline } from '../../src/platform/deadline.js';
import type { Store } from '../../src/store/types.js';
import { claimRedisDatabase, type RedisDatabase } from './redis-database.js';

/** Compiled tree that this file runs from: `.build`. */
const BUILD = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const MAIN_JS = join(BUILD, 'src', 'main.js');
const READY_TIMEOUT_MS = 20_000;
const COMMAND_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

export interface TestServer {
  readonly facts: RunFacts;
  readonly dataDir: string;
  readonly address: string;
  readonly udpPort: number;
  readonly tcpPort: number;
  readonly mmlPort: number;
  /** Port of the first listener of a protocol. */
  sipPort(protocol: string): number;
  /** Standard output and error so far. */
  output(): string;
  /** Runs `ims …` against this server's DATA_DIR. */
  ims(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** What console commands print, run over the local socket as `ims mml` does. */
  mml(commands: string, format?: 'JSON'): Promise<string>;
  /** The same of commands that must succeed, one after the other; rejects with the report when one does not. */
  mmlOk(...commands: string[]): Promise<string>;
  /** Opens the server's Store beside it, as `ims cdr list` does, lends it and closes it. */
  withStore<T>(use: (store: Store) => Promise<T>): Promise<T>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts the server again on the same DATA_DIR and the same ports. */
  restart(env?: Record<string, string>): Promise<TestServer>;
  /** Stops the server and removes DATA_DIR. */
  close(): Promise<void>;
}

export interface TestServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Subscribers made before the start: user name to password. */
  readonly users?: Readonly<Record<string, string>>;
  readonly dataDir?: string;
  /** Given as `--config`. */
  readonly settingsFile?: string;
  /** No file of the server may grow beyond this many blocks of 512 bytes: a disk that is full. */
  readonly fileBlocks?: number;
  /** That of an earlier life; by default one is claimed when STORE_URL names a Redis without a database. */
  readonly database?: RedisDatabase;
}

/**
 * Starts the built server as a process of its own on free ports of 127.0.0.1 and waits until it takes calls.
 * SIP_ENGINE, MEDIA_RELAY and STORE_URL of the test run's environment are passed on: the same suite runs on each.
 */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'ims-test-'));
  const storeUrl = options.env?.['STORE_URL'] ?? process.env['STORE_URL'];
  const database = options.database ?? (await claimRedisDatabase(storeUrl));
  const env: Record<string, string> = {
    ...(process.env as Record<string, string>),
    SERVER_IP: '127.0.0.1',
    SIP_LISTEN: 'udp:127.0.0.1:0,tcp:127.0.0.1:0',
    MML_LISTEN: '127.0.0.1:0',
    LOG_FORMAT: 'json',
    ADMIN_PASSWORD: 'admin-secret',
    DRAIN_SEC: '1',
    DATA_DIR: dataDir,
    ...options.env,
    ...(database && { STORE_URL: database.url }),
  };
  if (options.users) await addUsers(env, options.users);
  const command = [process.execPath, '--enable-source-maps', MAIN_JS, 'start'];
  if (options.settingsFile !== undefined) command.push('--config', options.settingsFile);
  const limited = ['sh', '-c', `ulimit -f ${options.fileBlocks} && exec "$@"`, 'sh', ...command];
  const [program, ...args] = options.fileBlocks === undefined ? command : limited;
  const child = spawn(program!, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output += chunk;
  });
  await ready(child, () => output);
  const facts = readRunFacts(dataDir);
  if (!facts) throw new Error(`no run file in ${dataDir}`);
  const port = (protocol: string): number =>
    Number(
      facts.sip
        .find((listener) => listener.startsWith(`${protocol}:`))
        ?.split(':')
        .at(-1) ?? 0,
    );
  return {
    facts,
    dataDir,
    address: '127.0.0.1',
    sipPort: port,
    udpPort: port('udp'),
    tcpPort: port('tcp'),
    mmlPort: Number(facts.mml.split(':').at(-1)),
    output: () => output,
    ims: (...args) => runIms(env, args),
    mml: async (commands, format) => (await runCommands(dataDir, commands, format)).report,
    mmlOk: async (...commands) => {
      const { code, report } = await runCommands(dataDir, commands.join('; '));
      if (code !== 0) throw new Error(`exit code ${code} of the console: ${report}`);
      return report;
    },
    withStore: (use) => inTurn(() => withStore(loadConfig({ env }).config, use)),
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
    restart: async (more) => {
      await stop(child);
      return startServer({
        dataDir,
        ...(database && { database }),
        env: {
          ...options.env,
          SIP_LISTEN: facts.sip.join(','),
          MML_LISTEN: facts.mml,
          ...more,
        },
      });
    },
    close: async () => {
      await stop(child);
      await database?.release();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

let lastTurn: Promise<unknown> = Promise.resolve();

/** One after the other: LMDB cannot be open twice in one process. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = lastTurn.then(work);
  lastTurn = turn.catch(() => undefined);
  return turn;
}

/** Makes subscribers; those that a shared Store has already are left as they are. */
async function addUsers(
  env: Readonly<Record<string, string>>,
  users: Readonly<Record<string, string>>,
): Promise<void> {
  const { config } = loadConfig({ env });
  const rows = Object.entries(users).map(([username, password], i) => ({ row: i + 1, username, password }));
  const { faults } = await inTurn(() =>
    withStore(config, (store) => importUsers(new StoredUsers({ store, realm: config.SIP_REALM }), rows)),
  );
  if (faults.length > 0) throw new Error(`subscribers were refused: ${JSON.stringify(faults)}`);
}

/** Runs console commands in this process. */
async function runCommands(
  dataDir: string,
  command: string,
  format?: 'JSON',
): Promise<{ code: number; report: string }> {
  let report = '';
  const collect = new Writable({
    write: (chunk, _encoding, done) => {
      report += chunk;
      done();
    },
  });
  const socketPath = join(dataDir, 'ims.sock');
  const stdin = new PassThrough();
  const work = runMml({
    ...{ socketPath, command, ...(format && { format }) },
    ...{ stdin, stdout: collect, stderr: collect },
  });
  const code = await withDeadline(work, COMMAND_TIMEOUT_MS, command);
  return { code, report };
}

/** Runs the `ims` command to its end. */
export async function runIms(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN_JS, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout, stderr };
}

async function ready(child: ChildProcess, output: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not ready in time:\n${output()}`)), READY_TIMEOUT_MS);
      child.on('message', (message) => message === 'ready' && resolve());
      child.on('exit', (code) => reject(new Error(`exited with ${code}:\n${output()}`)));
    });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
