import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import type { User } from '../../../src/accounts/types.js';
import type { SoundFacts } from '../../../src/audio/types.js';
import type { CallRecord } from '../../../src/cdr/types.js';
import { DialJob } from '../../../src/dialler/dial-job.js';
import { Dialler } from '../../../src/dialler/dial-service.js';
import { AppError } from '../../../src/platform/errors.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { StoreError } from '../../../src/store/errors.js';
import { ManualClock } from '../../support/manual-clock.js';
import { openTempStore } from '../../support/temp-store.js';
import { waitFor } from '../../support/wait-for.js';

const temp = await openTempStore();
after(temp.close);

const user = { username: '1001', realm: 'ims', displayName: '', status: 'ACTIVE' } as User;
let clock: ManualClock;
let look: () => Promise<User | undefined>;
let closed: Promise<Partial<CallRecord>>;
let checkSound: () => Promise<SoundFacts>;
let originated: number;
let dialler: Dialler;

/** Calls begin, and end as `closed` says: never. */
beforeEach(async () => {
  clock = new ManualClock();
  look = async () => user;
  checkSound = async () => ({ durationMs: 1 });
  closed = new Promise(() => undefined);
  originated = 0;
  dialler = new Dialler({
    store: temp.store,
    users: { authData: () => look() },
    calls: {
      originate: () => {
        originated++;
        return { closed: () => closed, trail: { add: () => undefined }, conclude: () => undefined } as never;
      },
    },
    audio: { open: () => Promise.reject(new AppError('NO_AUDIO', 'there is no audio here')) },
    sounds: { check: () => checkSound(), find: () => ({ tone: 'beep' }) },
    log: silentLogger,
    clock,
  });
  await dialler.modify({ enabled: true, caller: '1001', sound: 'tone:beep', retrySec: 5 });
});

const start = () => dialler.start({ numbers: ['1', '2', '3'], parallel: 2, by: 'oper' });

test('a Store that is away uses no number up', async () => {
  const away = () => Promise.reject(new StoreError('STORE_UNAVAILABLE', 'away'));
  // The order is taken; then the Store goes.
  look = async () => {
    look = away;
    return user;
  };
  const job = await start();
  const first = () => dialler.targets(job.id)[0];
  await waitFor('the first to have been tried', () => first()?.reason !== undefined);
  assert.deepEqual([first()?.state, first()?.tries, first()?.reason], ['waiting', 0, 'store-unavailable']);
  look = async () => user;
  clock.advance(5000);
  await waitFor('two calls', () => originated === 2);
  assert.equal(dialler.jobs()[0]?.failed, 0);
});

for (const [what, change] of [
  ['switched off', () => dialler.modify({ enabled: false })],
  ['drained', async () => dialler.setDraining()],
] as const)
  test(`an order that was looked at while the service was ${what} is refused`, async () => {
    let go = (_facts: SoundFacts): void => undefined;
    checkSound = () =>
      new Promise((resolve) => {
        go = resolve;
      });
    const started = start();
    const refused = assert.rejects(started, { code: 'DIALSVC_OFF' });
    const former = go;
    await waitFor('the look', () => go !== former);
    await change();
    go({ durationMs: 1 });
    await refused;
    assert.deepEqual([dialler.jobs().length, originated], [0, 0]);
  });

test('orders of the same moment are no more jobs than may run', async () => {
  for (let i = 0; i < 18; i++) await start();
  const outcomes = await Promise.allSettled([start(), start(), start(), start()]);
  const codes = outcomes.map((one) => (one.status === 'rejected' ? one.reason.code : 'started'));
  assert.deepEqual(codes, ['started', 'started', 'DIAL_BUSY', 'DIAL_BUSY']);
});

test('as many calls of all jobs as MAXPARALLEL, counted without looking through jobs that are over', async (t) => {
  closed = Promise.resolve({ releaseReason: 'callee-unknown' });
  for (let i = 0; i < 10; i++) await start();
  await waitFor('all to be over', () => dialler.jobs().every(({ state }) => state === 'done'));
  closed = new Promise(() => undefined);
  originated = 0;
  await dialler.modify({ maxParallel: 50 });
  const reads = t.mock.getter(DialJob.prototype, 'running');
  const numbers = Array.from({ length: 100 }, (_, i) => `${i}`);
  await dialler.start({ numbers, parallel: 100, by: 'oper' });
  await waitFor('the calls', () => originated >= 50);
  assert.equal(originated, 50);
  assert.ok(reads.mock.callCount() < 100, `${reads.mock.callCount()} looks through a job`);
});
