import type { AlarmChange } from './types.js';

/** A change of an alarm as machines get it: by webhook, and on consoles that print JSON. Times are ISO 8601 in UTC. */
export function alarmEvent({ kind, alarm }: AlarmChange): Readonly<Record<string, string | number>> {
  const { id, uid, name, severity, subject, detail, firstAt, lastAt, count, clearedAt, clearedBy } = alarm;
  return {
    event: kind,
    id,
    uid,
    name,
    severity,
    subject,
    detail,
    firstAt: iso(firstAt),
    lastAt: iso(lastAt),
    count,
    ...(clearedAt !== undefined && { clearedAt: iso(clearedAt) }),
    ...(clearedBy !== undefined && { clearedBy }),
  };
}

const iso = (wallMs: number): string => new Date(wallMs).toISOString();
