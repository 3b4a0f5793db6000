import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nearest } from '../../../src/mml/registry/nearest.js';
import { LoginThrottle } from '../../../src/mml/session/login-throttle.js';
import { type OperationEntry, OperationLog } from '../../../src/mml/session/operation-log.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { ManualClock } from '../../support/manual-clock.js';

const child = fileURLToPath(new URL('../../support/oplog-process.js', import.meta.url));

describe('operation log', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ims-oplog-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const entry = (at: number, fields: Partial<OperationEntry> = {}): OperationEntry => ({
    at,
    operator: 'admin',
    role: 'ADMIN',
    address: '127.0.0.1',
    session: 1,
    command: `LST USER: LIMIT=${at}`,
    retcode: 0,
    durationMs: 1.5,
    ...fields,
  });

  it('is a chain of hashes over restarts and files: whatever is changed, taken out or cut off is found', async () => {
    const path = join(directory, 'chain');
    const writeSome = async (from: number) => {
      const log = new OperationLog(path, silentLogger, 2000);
      for (let at = from; at < from + 8; at++) {
        log.append(entry(at));
        await log.flush();
      }
      return log;
    };
    await writeSome(1);
    const log = await writeSome(9);
    const whole = await log.check();
    assert.deepEqual([whole.faults, whole.entries, whole.head.n], [[], 16, 16]);
    const noted = whole.head;
    const file = join(path, 'oplog.1.jsonl');
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    assert.ok(lines.length > 3);
    const faults = async (changed: readonly string[]) => {
      await writeFile(file, `${changed.join('\n')}\n`);
      return (await new OperationLog(path, silentLogger).check()).faults.map(({ why }) => why);
    };
    const { n } = JSON.parse(lines[1]!) as { n: number };
    assert.deepEqual(
      await faults(lines.map((line, i) => (i === 1 ? line.replace('admin', 'other') : line))),
      [`entry ${n} was changed`],
    );
    assert.deepEqual(await faults(lines.filter((_, i) => i !== 1)), [
      `entry ${n + 1} does not follow entry ${n - 1}`,
    ]);
    assert.deepEqual(
      await faults([lines[0]!, lines[2]!, lines[1]!, ...lines.slice(3)]).then((all) => all.length),
      3,
    );
    assert.deepEqual(await faults(lines), []);
    const newest = join(path, 'oplog.jsonl');
    const kept = await readFile(newest, 'utf8');
    await writeFile(
      newest,
      kept
        .trimEnd()
        .split('\n')
        .slice(0, -1)
        .map((line) => `${line}\n`)
        .join(''),
    );
    const cut = new OperationLog(path, silentLogger);
    assert.deepEqual((await cut.check()).faults, []);
    assert.deepEqual(
      (await cut.check(noted)).faults.map(({ why }) => why),
      ['entry 16 is gone or another one'],
    );
  });

  it('goes on after a line that a crash has cut, and says how many entries a failing disk lost', async () => {
    const path = join(directory, 'torn');
    const first = new OperationLog(path, silentLogger);
    first.append(entry(1));
    await first.flush();
    await appendFile(join(path, 'oplog.jsonl'), '{"at":2,"oper');
    const second = new OperationLog(path, silentLogger);
    second.append(entry(3));
    const { faults, entries } = await second.check();
    assert.equal(entries, 2);
    assert.deepEqual(
      faults.map(({ line, why }) => [line, why]),
      [[2, 'no entry: changed, or cut by a crash']],
    );
    await rm(path, { recursive: true });
    await writeFile(path, 'in the way');
    second.append(entry(4));
    second.append(entry(5));
    await second.flush();
    await rm(path);
    await mkdir(path);
    second.append(entry(6));
    assert.deepEqual(
      (await second.query({ limit: 9 })).map(({ command }) => command),
      ['LST USER: LIMIT=6', '(2 entries lost)'],
    );
  });

  it('goes on after a write that a full disk has cut, with one line that is no entry', async () => {
    const path = join(directory, 'full');
    // 1 KiB: some lines of the second write, and a part of one.
    const command = `ulimit -S -f 1; exec "${process.execPath}" "${child}" "${path}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', command]);
    const { faults, commands } = JSON.parse(stdout) as { faults: { why: string }[]; commands: string[] };
    assert.deepEqual(
      faults.map(({ why }) => why),
      ['no entry: changed, or cut by a crash'],
    );
    assert.deepEqual(commands.slice(0, 4), [
      'LST USER: LIMIT=11',
      'LST USER: LIMIT=10',
      '(8 entries lost)',
      `LST USER: LIMIT=${commands.length - 3}`,
    ]);
    assert.ok(commands.length > 4);
  });

  it('keeps entries over a restart, newest first, and finds them', async () => {
    const path = join(directory, 'a');
    const first = new OperationLog(path, silentLogger);
    for (let at = 1; at <= 10; at++) first.append(entry(at, { operator: at % 2 ? 'odd' : 'even' }));
    await first.flush();
    const second = new OperationLog(path, silentLogger);
    second.append(entry(11, { command: 'RMV CALL: ID=x' }));
    assert.deepEqual(
      (await second.query({ limit: 3 })).map((one) => one.at),
      [11, 10, 9],
    );
    assert.deepEqual(
      (await second.query({ limit: 3, operator: 'odd' })).map((one) => one.at),
      [9, 7, 5],
    );
    assert.deepEqual(
      (await second.query({ limit: 9, from: 3, to: 5 })).map((one) => one.at),
      [4, 3],
    );
    assert.deepEqual(
      (await second.query({ limit: 9, keyword: 'rmv' })).map((one) => one.at),
      [11],
    );
    assert.equal((await stat(join(path, 'oplog.jsonl'))).mode & 0o777, 0o600);
  });

  it('rotates by size and keeps five files', async () => {
    const path = join(directory, 'b');
    const log = new OperationLog(path, silentLogger, 2000);
    for (let at = 1; at <= 200; at++) {
      log.append(entry(at));
      await log.flush();
    }
    assert.deepEqual((await readdir(path)).sort(), [
      'oplog.1.jsonl',
      'oplog.2.jsonl',
      'oplog.3.jsonl',
      'oplog.4.jsonl',
      'oplog.jsonl',
    ]);
    assert.ok((await readFile(join(path, 'oplog.jsonl'))).length < 2500);
    const found = await log.query({ limit: 1000 });
    assert.deepEqual(
      found.slice(0, 20).map((one) => one.at),
      Array.from({ length: 20 }, (_, i) => 200 - i),
    );
    assert.ok(found.length > 20 && found.length < 60);
  });

  it('never fails a command when the disk refuses', async () => {
    const log = new OperationLog('/dev/null/oplog', silentLogger);
    log.append(entry(1));
    await log.flush();
    log.append(entry(2));
    await log.flush();
  });
});

describe('login throttle', () => {
  it('lets three go, then doubles the wait, and forgets after a quarter of an hour', () => {
    const clock = new ManualClock();
    const throttle = new LoginThrottle(clock);
    const waits = [];
    for (let i = 0; i < 12; i++) {
      throttle.failed('192.0.2.1');
      waits.push(throttle.waitMs('192.0.2.1'));
    }
    assert.deepEqual(
      waits,
      [0, 0, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000],
    );
    assert.equal(throttle.waitMs('192.0.2.2'), 0);
    clock.advance(15 * 60_000);
    throttle.failed('192.0.2.1');
    assert.equal(throttle.waitMs('192.0.2.1'), 0);
    throttle.succeeded('192.0.2.1');
    assert.equal(throttle.size, 0);
  });

  it('takes IPv6 addresses by /64, mapped ones as IPv4, and is bounded', () => {
    const throttle = new LoginThrottle(new ManualClock());
    for (let i = 0; i < 3; i++) throttle.failed(`2001:db8::${i}`);
    assert.equal(throttle.waitMs('2001:db8::ffff'), 2000);
    assert.equal(throttle.waitMs('2001:db8:0:1::1'), 0);
    for (let i = 0; i < 3; i++) throttle.failed('::ffff:192.0.2.7');
    assert.equal(throttle.waitMs('192.0.2.7'), 2000);
    for (let i = 0; i < 5000; i++) throttle.failed(`10.0.${i >> 8}.${i & 255}`);
    assert.equal(throttle.size, 1024);
  });
});

describe('nearest words', () => {
  it('finds slips and beginnings, not strangers', () => {
    assert.deepEqual(nearest('USRENAME', ['USERNAME', 'STATUS']), ['USERNAME']);
    assert.deepEqual(nearest('US', ['USER', 'REG']), ['USER']);
    assert.deepEqual(nearest('XYZZY', ['USER', 'REG']), []);
  });
});
