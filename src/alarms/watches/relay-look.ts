import type { AlarmStates } from '../types.js';
import type { Look } from './rounds.js';

/** What a relay says of itself. */
export interface RelayState {
  readonly name: string;
  readonly alive: boolean;
  readonly error?: string;
}

/** Looks that must fail in a row: one lost datagram is no alarm. */
const LOOKS_TO_RAISE = 2;

/** Asks the media relays whether they answer. */
export function relayLook(health: () => Promise<readonly RelayState[]>, alarms: AlarmStates): Look {
  const failures = new Map<string, number>();
  return {
    name: 'relays',
    everyMs: 2000,
    async look() {
      const relays = await health();
      for (const { name, alive } of relays) failures.set(name, alive ? 0 : (failures.get(name) ?? 0) + 1);
      // One that was taken out is no trouble any more.
      for (const name of failures.keys())
        if (!relays.some((relay) => relay.name === name)) {
          failures.delete(name);
          alarms.state('RELAY_DOWN', name, false, '');
        }
      const isDown = (name: string): boolean => (failures.get(name) ?? 0) >= LOOKS_TO_RAISE;
      for (const { name, error } of relays)
        alarms.state('RELAY_DOWN', name, isDown(name), error ?? 'no answer');
      const areAllDown = relays.length > 0 && relays.every(({ name }) => isDown(name));
      alarms.state('NO_RELAY', '', areAllDown, `${relays.length} configured`);
    },
  };
}
