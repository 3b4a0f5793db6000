import { statfs } from 'node:fs/promises';
import type { AlarmStates } from '../types.js';
import type { Look } from './rounds.js';

const MIB = 1024 * 1024;
/** The alarm ends when this much more than the limit is free: no flutter at the edge. */
const CLEAR_FACTOR = 1.1;

/** Watches the space on the disk of a directory. `limitMb` is read each time; 0 turns it off. */
export function diskLook(directory: string, limitMb: () => number, alarms: AlarmStates): Look {
  let isLow = false;
  return {
    name: 'disk',
    everyMs: 2000,
    async look() {
      const { bavail, blocks, bsize } = await statfs(directory);
      const freeMb = Math.floor((bavail * bsize) / MIB);
      isLow = freeMb < limitMb() * (isLow ? CLEAR_FACTOR : 1);
      const detail = `${freeMb} MiB of ${Math.floor((blocks * bsize) / MIB)} MiB free`;
      alarms.state('DISK_LOW', directory, isLow, detail);
    },
  };
}
