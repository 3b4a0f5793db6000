import type { AttemptRecord, TimelineEntry } from './types.js';

/** A B leg that was tried and what became of it. */
export interface TriedLeg {
  readonly leg: string;
  readonly record: AttemptRecord;
}

/** The targets tried, in order. A leg that is told again (its Call-ID came to be known) stays one attempt. */
export function collectAttempts(timeline: readonly TimelineEntry[]): TriedLeg[] {
  const legs = new Map<string, AttemptRecord>();
  for (const { event } of timeline) {
    if (event.kind === 'attempt') {
      const { leg, contact, address, port, transport, callId, trunk } = event;
      const { sipStatus, sipReason } = legs.get(leg) ?? { sipStatus: 0, sipReason: '' };
      const target = { contact, address, port, transport, callId, ...(trunk !== undefined && { trunk }) };
      legs.set(leg, { ...target, sipStatus, sipReason });
    } else if (event.kind === 'attempt-ended') {
      settle(legs, event.leg, event.status, event.reason);
    } else if (event.kind === 'answered') {
      settle(legs, event.leg, 200, 'OK');
    }
  }
  return [...legs].map(([leg, record]) => ({ leg, record }));
}

/** The first final status of a leg stands: what follows an answer is the call's end, not the attempt's. */
function settle(legs: Map<string, AttemptRecord>, leg: string, sipStatus: number, sipReason: string): void {
  const record = legs.get(leg);
  if (record && record.sipStatus === 0) legs.set(leg, { ...record, sipStatus, sipReason });
}
