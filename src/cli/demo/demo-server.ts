import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, type RunFacts, readRunFacts } from '../../app/run-file.js';
import { loadConfig } from '../../config/load.js';
import type { Config } from '../../config/schema.js';
import { AppError } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';

const READY_TIMEOUT_MS = 15_000;

/** The server that the demo's phones call through. */
export interface DemoServer extends Closeable {
  readonly facts: RunFacts;
  readonly config: Config;
  /** True when it was running before the demo. */
  readonly isYours: boolean;
}

/** The server that runs on these settings, or else a private one on free ports of loopback, gone after `close`. */
export async function findOrStartServer(config: Config): Promise<DemoServer> {
  const facts = readRunFacts(config.DATA_DIR);
  if (facts?.sip && isAlive(facts)) return { facts, config, isYours: true, close: () => Promise.resolve() };
  return startPrivateServer();
}

async function startPrivateServer(): Promise<DemoServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ims-demo-'));
  const settings = {
    DATA_DIR: dataDir,
    SERVER_IP: '127.0.0.1',
    SIP_LISTEN: 'udp:127.0.0.1:0,tcp:127.0.0.1:0',
    MML_LISTEN: '127.0.0.1:0',
    LOG_LEVEL: 'warn',
    DRAIN_SEC: '0',
  };
  const child = spawn(process.execPath, [process.argv[1]!, 'start'], {
    env: { PATH: process.env['PATH'], ...settings },
    cwd: dataDir,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    await once(child, 'message', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
    const facts = readRunFacts(dataDir);
    if (!facts) throw new AppError('DEMO_FAILED', 'the private server wrote no run file');
    child.disconnect();
    return { facts, config: loadConfig({ env: settings }).config, isYours: false, close };
  } catch (error) {
    await close();
    throw error;
  }
}
