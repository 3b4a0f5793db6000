import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { checkCron, dueAt, MAX_LATE_MS, nextAfter } from '../../../src/tasks/schedule.js';

/** A moment in the time zone of the process, as schedules have it. */
const at = (day: number, hour: number, minute = 0, second = 0): number =>
  new Date(2027, 2, day, hour, minute, second).getTime();
const cron = '0 2 * * *';

describe('schedule of a task', () => {
  it('finds the first time after a moment, never the moment itself', () => {
    assert.equal(nextAfter({ cron }, at(1, 1, 59, 59)), at(1, 2));
    assert.equal(nextAfter({ cron }, at(1, 2)), at(2, 2));
    assert.equal(nextAfter({ cron }, at(1, 2) + 999), at(2, 2));
    assert.equal(nextAfter({ at: at(1, 2) }, at(1, 1)), at(1, 2));
    assert.equal(nextAfter({ at: at(1, 2) }, at(1, 2)), undefined);
    assert.equal(nextAfter({}, at(1, 2)), undefined);
  });

  it('knows days of the week by name and the last day of a month', () => {
    assert.equal(nextAfter({ cron: '30 8 * * MON-FRI' }, at(5, 9)), at(8, 8, 30));
    assert.equal(nextAfter({ cron: '0 0 L * *' }, at(5, 9)), at(31, 0));
  });

  it('is due at its time, and when it was late by minutes', () => {
    assert.equal(dueAt({ cron }, at(1, 0), at(1, 1, 59, 59)), undefined);
    assert.deepEqual(dueAt({ cron }, at(1, 0), at(1, 2)), { kind: 'run', due: at(1, 2), upTo: at(1, 2) });
    assert.equal(dueAt({ cron }, at(1, 0), at(1, 2) + MAX_LATE_MS)?.kind, 'run');
    assert.equal(dueAt({ cron }, at(1, 2), at(1, 2)), undefined, 'dealt with');
    assert.equal(dueAt({ at: at(1, 2) }, at(1, 0), at(1, 2, 5))?.kind, 'run');
  });

  it('is missed when more time has passed, and goes on from there', () => {
    const missed = dueAt({ cron }, at(1, 0), at(4, 12));
    assert.deepEqual(missed, { kind: 'missed', due: at(1, 2), upTo: at(4, 12) - MAX_LATE_MS });
    assert.equal(dueAt({ cron }, missed!.upTo, at(4, 12)), undefined);
    assert.deepEqual(dueAt({ at: at(1, 2) }, at(1, 0), at(1, 3)), {
      kind: 'missed',
      due: at(1, 2),
      upTo: at(1, 2),
    });
  });

  it('of several times within the last minutes takes the newest', () => {
    const due = dueAt({ cron: '* * * * *' }, at(1, 8), at(1, 8, 5, 30));
    assert.deepEqual(due, { kind: 'run', due: at(1, 8, 5), upTo: at(1, 8, 5) });
  });

  it('a year of missed minutes is told in no time', () => {
    const started = performance.now();
    const due = dueAt({ cron: '* * * * *' }, new Date(2026, 0, 1).getTime(), at(1, 8));
    assert.equal(due?.kind, 'missed');
    assert.ok(performance.now() - started < 100);
  });

  it('a clock that was put back by a year does not hold it up, one put back by minutes repeats nothing', () => {
    const ahead = new Date(2028, 2, 1, 2).getTime();
    assert.equal(dueAt({ cron }, ahead, at(1, 1, 59)), undefined);
    assert.equal(nextAfter({ cron }, at(1, 1, 59)), at(1, 2));
    assert.equal(dueAt({ cron }, at(1, 2), at(1, 1, 55)), undefined);
  });

  it('runs once on the days when summer time begins and ends', () => {
    const module = new URL('../../../src/tasks/schedule.js', import.meta.url).href;
    const script = `
      const { nextAfter } = await import(${JSON.stringify(module)});
      const found = [];
      for (const day of ['2027-03-27T12:00Z', '2027-10-30T12:00Z'])
        for (let at = Date.parse(day), i = 0; i < 2; i++)
          found.push(new Date((at = nextAfter({ cron: '30 2 * * *' }, at))).toISOString().slice(0, 16));
      console.log(found.join(' '));`;
    const env = { ...process.env, TZ: 'Europe/Berlin' };
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env,
      encoding: 'utf8',
    });
    // 02:30 is not there on 28 March: the first minute after the gap; it is there twice on 31 October: the first of them.
    assert.equal(stdout.trim(), '2027-03-28T01:00 2027-03-29T00:30 2027-10-31T00:30 2027-11-01T01:30');
  });

  for (const wrong of [
    '',
    '* * * *',
    '60 * * * *',
    '0 0 * * * *',
    '0 2 31 2 *',
    'now',
    '@never',
    '*'.repeat(200),
  ])
    it(`refuses ${JSON.stringify(wrong.slice(0, 20))}`, () => {
      assert.throws(() => checkCron(wrong), { code: 'FIELD_INVALID' });
    });
});
