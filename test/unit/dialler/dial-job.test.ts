import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DialJob, type Target } from '../../../src/dialler/dial-job.js';

function jobOf(numbers: string[], changes: Partial<DialJob['task']> = {}): DialJob {
  const sound = 'tone:beep';
  const task = { id: 'J', by: 'oper', caller: '1000', sound, startTime: 0, numbers };
  return new DialJob({
    ...task,
    parallel: 2,
    noAnswerSec: 30,
    repeat: 1,
    retries: 0,
    retrySec: 10,
    ...changes,
  });
}

const ended = (releaseReason: string) => ({
  id: 'R',
  result: 'FAILED' as const,
  releaseReason,
  sipStatus: 486,
  billSec: 0,
});

test('numbers are taken in order, as many at once as the job may', () => {
  const job = jobOf(['1', '2', '3']);
  const one = job.take(0)!;
  assert.deepEqual([one.number, job.take(0)?.number, job.take(0)], ['1', '2', undefined]);
  one.isPlayed = true;
  job.finished(one, ended('normal-clearing'), 0);
  assert.equal(job.take(0)?.number, '3');
  const { done, running, waiting, calls, state } = job.view();
  assert.deepEqual(
    { done, running, waiting, calls, state },
    { done: 1, running: 2, waiting: 0, calls: 3, state: 'running' },
  );
});

test('a busy number is tried again after its time, an unknown one never', () => {
  const job = jobOf(['1', '2'], { retries: 1 });
  const [one, two] = [job.take(0)!, job.take(0)!];
  job.finished(one, ended('callee-busy'), 1000);
  job.finished(two, ended('callee-unknown'), 1000);
  assert.equal(job.take(10_999), undefined);
  assert.equal(job.nextDueMs, 11_000);
  const again = job.take(11_000) as Target;
  assert.equal(again.tries, 2);
  job.finished(again, ended('callee-busy'), 12_000);
  assert.deepEqual(
    job.targets().map(({ state, tries }) => [state, tries]),
    [
      ['failed', 2],
      ['failed', 1],
    ],
  );
  assert.equal(job.state, 'done');
  assert.ok(job.isOver);
});

for (const reason of [
  'trunks-full',
  'trunks-down',
  'outside-limit',
  'server-overloaded',
  'store-unavailable',
])
  test(`${reason} counts as no try, and the list is not used up: it goes on with the lines that it got`, () => {
    const job = jobOf(['1', '2', '3', '4', '5', '6'], { parallel: 4 });
    const [one, two, three, four] = [job.take(0)!, job.take(0)!, job.take(0)!, job.take(0)!];
    job.finished(four, ended(reason), 0);
    job.finished(three, ended(reason), 0);
    assert.deepEqual([job.view().failed, four.tries, four.state], [0, 0, 'waiting']);
    assert.equal(job.take(0), undefined, 'two have a line, so no third is tried');
    assert.equal(job.nextDueMs, 10_000);
    one.isPlayed = true;
    job.finished(one, ended('normal-clearing'), 5000);
    assert.equal(job.nextDueMs, 0, 'a line is free');
    assert.equal(job.take(5000)?.number, '5');
    assert.equal(job.take(5000), undefined);
    two.isPlayed = true;
    job.finished(two, ended('normal-clearing'), 6000);
    assert.equal(job.take(10_000)?.number, '3');
    assert.deepEqual([job.take(10_000)?.number, job.take(10_000)?.number], ['4', '6'], 'all at once again');
  });

test('where no line is there at all the job waits, and not for ever', () => {
  const job = jobOf(['1', '2'], { parallel: 1 });
  for (let i = 0; i < 100; i++) {
    const nowMs = i * 10_000;
    job.finished(job.take(nowMs)!, ended('trunks-down'), nowMs);
    assert.deepEqual([job.take(nowMs + 9999), job.nextDueMs], [undefined, nowMs + 10_000]);
  }
  job.finished(job.take(1_000_000)!, ended('trunks-down'), 1_000_000);
  assert.deepEqual(
    job.targets().map(({ state, tries }) => [state, tries]),
    [
      ['failed', 1],
      ['waiting', 0],
    ],
  );
});

test('an answer in which the sound was not heard to its end is no success, and not repeated', () => {
  const job = jobOf(['1'], { retries: 3 });
  job.finished(job.take(0)!, ended('normal-clearing'), 0);
  assert.equal(job.view().failed, 1);
});

test('a stopped job calls nobody any more, and ends when its calls have', () => {
  const job = jobOf(['1', '2', '3']);
  const one = job.take(0)!;
  job.stop();
  assert.equal(job.take(0), undefined);
  assert.deepEqual([job.state, job.isOver], ['stopped', false]);
  job.finished(one, ended('operator-ended'), 0);
  assert.ok(job.isOver);
  assert.equal(job.view().stopped, 3);
});
