import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Leg } from '../../../src/call/leg.js';
import { type SilencePolicy, SilenceWatch } from '../../../src/call/silence.js';
import type { MediaStreamStats } from '../../../src/media/types.js';
import { ManualClock } from '../../support/manual-clock.js';

const STREAM = { index: 0, kind: 'audio', relay: 'r' };

describe('how long a call may be silent', () => {
  const ended: string[] = [];
  /** Watches a call whose legs have these times of their own; `step` says what the relay tells next. */
  function watch(policy: Partial<SilencePolicy>, ownA?: number, ownB?: number) {
    const clock = new ManualClock();
    let streams: MediaStreamStats[] = [];
    ended.length = 0;
    const leg = (side: 'a' | 'b', silenceSec?: number) =>
      ({
        side,
        party: side === 'a' ? 'CALLER' : 'CALLEE',
        ...(silenceSec !== undefined && { limits: { silenceSec } }),
      }) as Leg;
    const call = {
      media: { stats: async () => streams, sends: () => true },
      state: 'connected' as const,
      legs: [leg('a', ownA), leg('b', ownB)],
      onSilence: (by: string) => void ended.push(by),
    };
    const full = { silenceSec: 0, of: 'both', whenHeld: false, ...policy } as const;
    new SilenceWatch(call, clock, full).start();
    return async (sec: number, figures: { packetsFromA?: number; packetsFromB?: number } = {}) => {
      streams = [{ ...STREAM, ...figures }];
      for (let i = 0; i < sec * 2 && ended.length === 0; i++) {
        clock.advance(500);
        await new Promise(setImmediate);
      }
      return { ended: [...ended], atSec: clock.monotonic() / 1000 };
    };
  }

  test('no time, no end; a relay that tells nothing is no silence', async () => {
    const never = watch({});
    assert.deepEqual((await never(1000, { packetsFromA: 0, packetsFromB: 0 })).ended, []);
    const unknown = watch({ silenceSec: 60 });
    assert.deepEqual((await unknown(1000)).ended, []);
  });

  test('figures that stand still, or are told no more, are silence', async () => {
    const still = watch({ silenceSec: 60 });
    await still(120, { packetsFromA: 1, packetsFromB: 0 });
    assert.deepEqual(ended, ['SERVER']);
    const freed = watch({ silenceSec: 60 });
    await freed(30, { packetsFromA: 1, packetsFromB: 9 });
    const { atSec } = await freed(120);
    assert.deepEqual(ended, ['SERVER']);
    assert.ok(atSec >= 60 && atSec <= 84, `${atSec}`);
  });

  test('a leg has the time of its account; when both have to be silent the shorter one counts', async () => {
    const both = watch({ silenceSec: 600 }, undefined, 20);
    const { atSec } = await both(300, { packetsFromA: 0, packetsFromB: 0 });
    assert.deepEqual(ended, ['SERVER']);
    assert.ok(atSec >= 20 && atSec <= 30, `${atSec}`);
    const either = watch({ of: 'either' }, undefined, 20);
    for (let sec = 0; sec < 10; sec++) await either(1, { packetsFromA: 5, packetsFromB: sec });
    assert.deepEqual(ended, []);
    await either(60, { packetsFromA: 5, packetsFromB: 9 });
    assert.deepEqual(ended, ['CALLEE']);
  });
});
