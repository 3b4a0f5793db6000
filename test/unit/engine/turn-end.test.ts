import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TurnEnd } from '../../../src/engine/turn-end.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the end of a turn', () => {
  it('what was added runs once, in order, and not before the turn is over', async () => {
    const ran: string[] = [];
    const end = new TurnEnd();
    end.add(() => ran.push('a'));
    end.add(() => {
      ran.push('b');
      end.add(() => ran.push('next turn'));
    });
    await Promise.resolve();
    assert.deepEqual(ran, []);
    await turn();
    assert.deepEqual(ran, ['a', 'b']);
    await turn();
    assert.deepEqual(ran, ['a', 'b', 'next turn']);
  });

  /** Runs turns of `outputs` messages each, `workMs` long, `turns` of them; resolves how long the thread slept after each. */
  async function paced(paceMs: number, turns: number, outputs: number, workMs: number): Promise<number[]> {
    let now = 1000;
    const slept: number[] = [];
    let restedMs = 0;
    const end = new TurnEnd(
      () => now,
      (ms) => {
        restedMs += ms;
        now += ms;
      },
    );
    end.pace(paceMs);
    for (let i = 0; i < turns; i++) {
      for (let one = 0; one < outputs; one++) end.count();
      end.add(() => {
        now += workMs;
      });
      restedMs = 0;
      await turn();
      slept.push(Math.round(restedMs * 100) / 100);
    }
    return slept;
  }

  it('a busy thread ends its turns so far apart', async () => {
    const slept = await paced(2, 1500, 3, 0.5);
    assert.deepEqual(new Set(slept.slice(0, 190)), new Set([0]), 'nobody knows yet that it is busy');
    assert.deepEqual(new Set(slept.slice(210, 230)), new Set([1.5]));
  });

  it('work that takes longer than the pace is not made longer', async () => {
    assert.deepEqual(new Set(await paced(2, 400, 10, 2.5)), new Set([0]));
  });

  it('a thread with little to do never rests, nor one that is not paced', async () => {
    assert.deepEqual(new Set(await paced(2, 300, 1, 1)), new Set([0]));
    assert.deepEqual(new Set(await paced(0, 300, 10, 0.5)), new Set([0]));
  });

  it('sleeps for real', async () => {
    const end = new TurnEnd();
    end.pace(20);
    let last = 0;
    const gaps: number[] = [];
    const started = performance.now();
    while (performance.now() - started < 400) {
      for (let one = 0; one < 300; one++) end.count();
      end.add(() => {
        gaps.push(performance.now() - last);
        last = performance.now();
      });
      await turn();
    }
    assert.ok(
      gaps.slice(-5).every((gap) => gap >= 15),
      `${gaps.slice(-5)}`,
    );
  });
});
