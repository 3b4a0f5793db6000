import { Cron } from 'croner';
import { TaskError } from './errors.js';
import type { TaskTimes } from './types.js';

/** A run that is late by more than this is not made up: the server was away or the clock jumped. Milliseconds. */
export const MAX_LATE_MS = 10 * 60_000;
const MAX_CRON_LENGTH = 100;

/** What a schedule asks for at a moment. */
export type Due =
  | {
      readonly kind: 'run' | 'missed';
      readonly due: number /** The schedule is dealt with up to here. */;
      readonly upTo: number;
    }
  | undefined;

/** Throws TaskError FIELD_INVALID for an expression that is none, or that never comes true (31 February). */
export function checkCron(expression: string): void {
  if (readCron(expression).nextRun(new Date(0)) === null)
    throw new TaskError('FIELD_INVALID', `the cron expression "${expression}" never comes true`);
}

function readCron(expression: string): Cron {
  if (expression.length > MAX_CRON_LENGTH)
    throw new TaskError('FIELD_INVALID', `a cron expression has ${MAX_CRON_LENGTH} characters at most`);
  try {
    return new Cron(expression, { paused: true, mode: '5-part' });
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : '';
    throw new TaskError('FIELD_INVALID', `not a cron expression: ${reason}`);
  }
}

/** The first time of a schedule after a moment, wall milliseconds; undefined when there is none. */
export function nextAfter({ at, cron }: TaskTimes, after: number): number | undefined {
  if (at !== undefined) return at > after ? at : undefined;
  // Parts of a second are cut off inside, so the moment itself is never found again.
  return cron === undefined ? undefined : readCron(cron).nextRun(new Date(after))?.getTime();
}

/**
 * What is due now of a schedule that was dealt with up to `after`. Of several times that passed the newest counts; what passed longer
 * ago than MAX_LATE_MS is missed. A clock that was put back does not hold a schedule up.
 */
export function dueAt(times: TaskTimes, after: number, now: number): Due {
  const from = after > now + MAX_LATE_MS ? now : after;
  const first = nextAfter(times, from);
  if (first === undefined || first > now) return undefined;
  if (first < now - MAX_LATE_MS) {
    const upTo = times.at ?? now - MAX_LATE_MS;
    return { kind: 'missed', due: first, upTo };
  }
  let due = first;
  for (let next = nextAfter(times, due); next !== undefined && next <= now; next = nextAfter(times, next))
    due = next;
  return { kind: 'run', due, upTo: due };
}
