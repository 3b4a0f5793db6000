// Writes the operation log on a disk that is full in the middle of a write, then has room again. Prints what a check finds.
import { execFileSync } from 'node:child_process';
import { type OperationEntry, OperationLog } from '../../src/mml/session/operation-log.js';
import { silentLogger } from '../../src/platform/logger.js';

const [directory = ''] = process.argv.slice(2);
// In place of the signal by which a process that writes too much is ended.
process.on('SIGXFSZ', () => undefined);
const log = new OperationLog(directory, silentLogger);

async function append(...times: number[]): Promise<void> {
  for (const at of times) {
    const entry: OperationEntry = {
      at,
      operator: 'admin',
      role: 'ADMIN',
      address: '127.0.0.1',
      session: 1,
      command: `LST USER: LIMIT=${at}`,
      retcode: 0,
      durationMs: 1.5,
    };
    log.append(entry);
  }
  await log.flush();
}

await append(1);
await append(2, 3, 4, 5, 6, 7, 8, 9);
execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:unlimited']);
await append(10);
await append(11);
const { faults } = await log.check();
const commands = (await log.query({ limit: 20 })).map(({ command }) => command);
process.stdout.write(JSON.stringify({ faults, commands }));
