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
