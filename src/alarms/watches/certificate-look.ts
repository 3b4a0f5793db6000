import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';
import type { AlarmStates } from '../types.js';
import type { Look } from './rounds.js';

const DAY_MS = 86_400_000;

/** Watches the end of a certificate in a PEM file: the first in it, which is the server's own. `days` is read each time. */
export function certificateLook(file: string, days: () => number, clock: Clock, alarms: AlarmStates): Look {
  return {
    name: 'certificate',
    everyMs: 3000,
    async look() {
      const end = await endOf(file);
      const leftMs = 'at' in end ? end.at - clock.now() : 0;
      const isOver = leftMs <= 0;
      const detail = 'at' in end ? `ends ${new Date(end.at).toISOString()}` : end.fault;
      alarms.state('CERT_EXPIRED', file, isOver, detail);
      alarms.state('CERT_EXPIRING', file, !isOver && leftMs < days() * DAY_MS, detail);
    },
  };
}

async function endOf(file: string): Promise<{ at: number } | { fault: string }> {
  try {
    return { at: Date.parse(new X509Certificate(await readFile(file)).validTo) };
  } catch (error) {
    return { fault: errorMessage(error) };
  }
}
