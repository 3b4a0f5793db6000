import type { AlarmName, Severity } from './catalogue.js';

/** What other rooms may do: say that something is wrong, and that it is right again. Neither ever throws or waits. */
export interface AlarmSink {
  /**
   * Something went wrong, or went wrong again: an alarm of that name and subject that is active already counts one more. `subject`
   * tells alarms of one name apart (a trunk, an address; `''` for what is there once); `detail` is for people. Both are cut
   * when too long; neither may hold a secret.
   */
  raise(name: AlarmName, subject: string, detail: string): void;
  /** It is over; nothing when no such alarm is active. */
  clear(name: AlarmName, subject: string): void;
}

/** For whoever looks again and again: an alarm that stays is neither counted nor told of twice. */
export interface AlarmStates extends AlarmSink {
  /** Says how something is now; raises, keeps or clears. */
  state(name: AlarmName, subject: string, isWrong: boolean, detail: string): void;
}

/** One alarm, active or past. Times are wall milliseconds. */
export interface Alarm {
  /** What operators call it by: rises over restarts. Becomes another when the Store answers late and has given it out. */
  readonly id: number;
  /** ULID; the same wherever the alarm is told of. */
  readonly uid: string;
  readonly name: AlarmName;
  readonly subject: string;
  readonly severity: Severity;
  readonly detail: string;
  readonly firstAt: number;
  /** When it was last raised. */
  readonly lastAt: number;
  /** How often it was raised. */
  readonly count: number;
  /** Absent while it is active. */
  readonly clearedAt?: number;
  /** `server`, `restart`, or the operator who cleared it. */
  readonly clearedBy?: string;
}

/** Told once when an alarm becomes active and once when it ends. */
export interface AlarmChange {
  readonly kind: 'raised' | 'cleared';
  readonly alarm: Alarm;
}

export interface AlarmFilter {
  readonly name?: AlarmName;
  /** This severity and worse. */
  readonly severity?: Severity;
  readonly subject?: string;
}

export interface AlarmHistoryQuery extends AlarmFilter {
  /** Raised at this time or later, wall milliseconds. */
  readonly from?: number;
  /** Raised before this time. */
  readonly to?: number;
  readonly limit: number;
}

/** Alarms as consoles see them. */
export interface AlarmService {
  /** Worst first, then newest. */
  active(filter?: AlarmFilter): Alarm[];
  /** Those that are over, newest first. */
  history(query: AlarmHistoryQuery): Alarm[];
  find(id: number): Alarm | undefined;
  /** Ends an active alarm; what is still wrong raises it again. Returns it; undefined when none of that number is active. */
  clearById(id: number, by: string): Alarm | undefined;
  /** Hears of each change; returns what ends that. */
  onChange(listener: (change: AlarmChange) => void): () => void;
}

/** For parts that run without a server around them. */
export const NO_ALARMS: AlarmStates = {
  raise: () => undefined,
  clear: () => undefined,
  state: () => undefined,
};
