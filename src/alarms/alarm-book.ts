import type { Clock, TimerHandle } from '../platform/clock.js';
import { ulid } from '../platform/ids.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import { ALARMS, type AlarmName, rankOf } from './catalogue.js';
import { Gathered } from './gathered.js';
import { CONFIRM_MS, MAX_ACTIVE_PER_NAME, MAX_DETAIL, MAX_HISTORY, MAX_SUBJECT } from './limits.js';
import type {
  Alarm,
  AlarmChange,
  AlarmFilter,
  AlarmHistoryQuery,
  AlarmService,
  AlarmStates,
} from './types.js';

/** Subject of the alarm that stands for all beyond MAX_ACTIVE_PER_NAME. */
const THE_REST = '*';

/** Where alarms are kept; hears of each that was made, changed or forgotten. */
export interface AlarmKeeping {
  put(alarm: Alarm): void;
  forget(alarm: Alarm): void;
}

export interface AlarmBookOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly keeping?: AlarmKeeping;
}

/** All alarms of this server: those that are active, and the newest of those that are over. Everything in memory. */
export class AlarmBook implements AlarmStates, AlarmService, Closeable {
  private readonly open = new Map<string, Alarm>();
  /** Oldest end first. */
  private past: Alarm[] = [];
  /** Keys of alarms of the last run that nobody has confirmed yet. */
  private readonly unconfirmed = new Set<string>();
  private readonly gathered = new Gathered();
  private readonly listeners = new Set<(change: AlarmChange) => void>();
  private confirmTimer: TimerHandle | undefined;
  private lastId = 0;

  constructor(private readonly options: AlarmBookOptions) {}

  raise(name: AlarmName, subject: string, detail: string): void {
    const key = this.keyFor(name, subject);
    const known = this.open.get(key);
    const now = this.options.clock.now();
    this.unconfirmed.delete(key);
    if (known)
      this.change({ ...known, detail: cut(detail, MAX_DETAIL), lastAt: now, count: known.count + 1 });
    else this.begin(name, key, detail, now);
  }

  clear(name: AlarmName, subject: string): void {
    const key = keyOf(name, subject);
    this.end(key, 'server');
    const isLast = this.gathered.take(name, key);
    const left = this.open.get(keyOf(name, THE_REST));
    if (left && (isLast || this.countOf(name) === 1)) this.end(keyOf(name, THE_REST), 'server');
  }

  state(name: AlarmName, subject: string, isWrong: boolean, detail: string): void {
    if (!isWrong) {
      this.clear(name, subject);
      return;
    }
    const key = this.keyFor(name, subject);
    const known = this.open.get(key);
    this.unconfirmed.delete(key);
    if (!known) this.raise(name, subject, detail);
    // The one for all the rest keeps what it says: its subjects would overwrite each other at every look.
    else if (known.subject !== THE_REST && known.detail !== cut(detail, MAX_DETAIL))
      this.change({ ...known, detail: cut(detail, MAX_DETAIL), lastAt: this.options.clock.now() });
  }

  active(filter: AlarmFilter = {}): Alarm[] {
    return [...this.open.values()]
      .filter((alarm) => fits(alarm, filter))
      .sort((x, y) => rankOf(x.severity) - rankOf(y.severity) || y.id - x.id);
  }

  history({ from = 0, to = Number.POSITIVE_INFINITY, limit, ...filter }: AlarmHistoryQuery): Alarm[] {
    return this.past
      .filter((alarm) => fits(alarm, filter) && alarm.firstAt >= from && alarm.firstAt < to)
      .reverse()
      .slice(0, limit);
  }

  find(id: number): Alarm | undefined {
    return [...this.open.values(), ...this.past].find((alarm) => alarm.id === id);
  }

  clearById(id: number, by: string): Alarm | undefined {
    for (const [key, alarm] of this.open) if (alarm.id === id) return this.end(key, by);
    return undefined;
  }

  onChange(listener: (change: AlarmChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Takes over what the last run left. An alarm that ends by itself is over unless it is raised again in time. */
  restore(kept: readonly Alarm[]): void {
    for (const alarm of kept) this.lastId = Math.max(this.lastId, alarm.id);
    this.renumber(kept);
    const ended = kept.filter(({ clearedAt }) => clearedAt !== undefined);
    this.past = [...ended, ...this.past].sort((x, y) => x.clearedAt! - y.clearedAt!);
    this.trim();
    for (const alarm of kept) if (alarm.clearedAt === undefined) this.takeOver(alarm);
    this.options.clock.clearTimeout(this.confirmTimer);
    this.confirmTimer = this.options.clock.setTimeout(() => this.endUnconfirmed(), CONFIRM_MS);
  }

  close(): Promise<void> {
    this.options.clock.clearTimeout(this.confirmTimer);
    this.listeners.clear();
    return Promise.resolve();
  }

  /**
   * Gives alarms of this run new numbers where the last run had given theirs out: the Store may tell of it late. Those that will be one
   * with an alarm of the last run go by its number soon.
   */
  private renumber(kept: readonly Alarm[]): void {
    const taken = new Set(kept.map(({ id }) => id));
    const renamed = (alarm: Alarm): Alarm => {
      if (!taken.has(alarm.id)) return alarm;
      const changed = { ...alarm, id: ++this.lastId };
      this.options.keeping?.put(changed);
      return changed;
    };
    const open = kept.filter(({ clearedAt }) => clearedAt === undefined);
    const joined = new Set(open.map(({ name, subject }) => keyOf(name, subject)));
    for (const [key, alarm] of this.open) if (!joined.has(key)) this.open.set(key, renamed(alarm));
    this.past = this.past.map(renamed);
  }

  private takeOver(former: Alarm): void {
    const key = keyOf(former.name, former.subject);
    const present = this.open.get(key);
    if (!present) {
      this.open.set(key, former);
      if (ALARMS[former.name].ends === 'itself') this.unconfirmed.add(key);
      return;
    }
    // It was raised again before the Store could tell of it: one alarm, older than this run knew.
    this.options.keeping?.forget(present);
    const { detail, lastAt } = present;
    const joined = { ...former, detail, lastAt, count: former.count + present.count };
    this.change(joined);
    // Who was told of it by another uid hears of its end, and of the one that goes on.
    const clearedAt = this.options.clock.now();
    this.tell({ kind: 'cleared', alarm: { ...present, clearedAt, clearedBy: 'restart' } });
    this.tell({ kind: 'raised', alarm: joined });
  }

  private endUnconfirmed(): void {
    for (const key of [...this.unconfirmed]) this.end(key, 'restart');
  }

  private begin(name: AlarmName, key: string, detail: string, now: number): void {
    const { severity } = ALARMS[name];
    const alarm: Alarm = {
      id: ++this.lastId,
      uid: ulid(now),
      name,
      subject: key.slice(name.length + 1),
      severity,
      detail: cut(detail, MAX_DETAIL),
      firstAt: now,
      lastAt: now,
      count: 1,
    };
    this.change(alarm);
    const { id, subject } = alarm;
    this.options.log.warn({ id, alarm: name, severity, subject, detail: alarm.detail }, 'alarm raised');
    this.tell({ kind: 'raised', alarm });
  }

  private end(key: string, by: string): Alarm | undefined {
    const alarm = this.open.get(key);
    if (!alarm) return undefined;
    this.open.delete(key);
    this.unconfirmed.delete(key);
    if (alarm.subject === THE_REST) this.gathered.forget(alarm.name);
    const ended = { ...alarm, clearedAt: this.options.clock.now(), clearedBy: by };
    this.past.push(ended);
    this.options.keeping?.put(ended);
    this.trim();
    const { id, name, subject } = ended;
    this.options.log.info({ id, alarm: name, subject, by }, 'alarm cleared');
    this.tell({ kind: 'cleared', alarm: ended });
    return ended;
  }

  private change(alarm: Alarm): void {
    this.open.set(keyOf(alarm.name, alarm.subject), alarm);
    this.options.keeping?.put(alarm);
  }

  private trim(): void {
    const surplus = this.past.splice(0, Math.max(0, this.past.length - MAX_HISTORY));
    for (const alarm of surplus) this.options.keeping?.forget(alarm);
  }

  /** The key of an alarm, or of the one for all the rest when there are too many of its name; that is where it counts from now on. */
  private keyFor(name: AlarmName, subject: string): string {
    const key = keyOf(name, subject);
    const isRoom = this.open.has(key) || this.countOf(name) < MAX_ACTIVE_PER_NAME;
    if (!isRoom) this.gathered.add(name, key);
    else if (this.gathered.take(name, key)) this.end(keyOf(name, THE_REST), 'server');
    return isRoom ? key : keyOf(name, THE_REST);
  }

  private countOf(name: AlarmName): number {
    let count = 0;
    for (const alarm of this.open.values()) if (alarm.name === name) count++;
    return count;
  }

  private tell(change: AlarmChange): void {
    for (const listener of [...this.listeners]) {
      try {
        listener(change);
      } catch (error) {
        this.options.log.error({ err: error }, 'a listener of alarms failed');
      }
    }
  }
}

function fits(alarm: Alarm, { name, severity, subject }: AlarmFilter): boolean {
  return (
    (name === undefined || alarm.name === name) &&
    (subject === undefined || alarm.subject === subject) &&
    (severity === undefined || rankOf(alarm.severity) <= rankOf(severity))
  );
}

const keyOf = (name: AlarmName, subject: string): string => `${name} ${cut(subject, MAX_SUBJECT)}`;

function cut(value: string, max: number): string {
  return value.length <= max ? value : `${value.slice(0, max - 1)}…`;
}
