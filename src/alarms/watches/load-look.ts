import type { AlarmStates } from '../types.js';
import type { Look } from './rounds.js';

/** Overload as the engine tells it. */
export interface OverloadState {
  readonly isActive: boolean;
  /** How often it began. */
  readonly entered: number;
  readonly detail: string;
}

/** Watches the engine's overload; one that came and went between two looks is told of as well. */
export function overloadLook(overload: () => Promise<OverloadState>, alarms: AlarmStates): Look {
  let enteredBefore: number | undefined;
  return {
    name: 'overload',
    everyMs: 2000,
    async look() {
      const { isActive, entered, detail } = await overload();
      const wasMissed = !isActive && enteredBefore !== undefined && entered > enteredBefore;
      enteredBefore = entered;
      if (wasMissed) alarms.state('OVERLOAD', '', true, detail);
      alarms.state('OVERLOAD', '', isActive, detail);
    },
  };
}

/** Share of the limit below which there is room again. */
const ROOM_SHARE = 0.9;

/** Watches the number of calls against its limit. */
export function callsLook(active: () => number, limit: () => number, alarms: AlarmStates): Look {
  let isFull = false;
  return {
    name: 'calls',
    everyMs: 2000,
    look() {
      const [calls, most] = [active(), limit()];
      isFull = calls >= (isFull ? most * ROOM_SHARE : most);
      alarms.state('CALLS_FULL', '', isFull, `${calls} of ${most}`);
    },
  };
}
