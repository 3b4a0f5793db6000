import type { Clock } from '../../platform/clock.js';
import type { AlarmSink } from '../types.js';
import type { Look } from './rounds.js';

/** NTP moves a clock by less than this between two looks; milliseconds. */
const JUMP_MS = 2000;

/** Compares the wall clock with the monotonic one: a difference that changes is a clock that was set, or a machine that slept. */
export function clockLook(clock: Clock, alarms: AlarmSink): Look {
  let offset = clock.now() - clock.monotonic();
  return {
    name: 'clock',
    everyMs: 5000,
    look() {
      const now = clock.now() - clock.monotonic();
      const jumpedMs = now - offset;
      offset = now;
      if (Math.abs(jumpedMs) < JUMP_MS) return;
      const seconds = (Math.abs(jumpedMs) / 1000).toFixed(1);
      alarms.raise('CLOCK_JUMP', '', `${seconds} s ${jumpedMs > 0 ? 'forward' : 'back'}`);
    },
  };
}
