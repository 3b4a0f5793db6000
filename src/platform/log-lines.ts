import type { LogRing } from './log-ring.js';
import type { LogLevel } from './logger.js';

const LEVELS: Readonly<Record<number, LogLevel>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** A log line as consoles show it. */
export interface LogLine {
  /** Wall milliseconds. */
  readonly at: number;
  readonly level: LogLevel;
  readonly module: string;
  readonly message: string;
  /** Everything else that the line says, as JSON; empty when there is nothing. */
  readonly facts: string;
}

type RankedLine = LogLine & { readonly rank: number };

export interface LogQuery {
  /** Newest lines that match, at most this many. */
  readonly limit: number;
  /** Case-insensitive part of the line. */
  readonly keyword?: string;
  /** Texts of which one must stand in the line: the Call-IDs of a call. */
  readonly anyOf?: readonly string[];
  /** This level and louder ones. */
  readonly level?: LogLevel;
  readonly module?: string;
}

/** The newest lines of the ring that match, oldest first. */
export function findLines(ring: LogRing, query: LogQuery): LogLine[] {
  return matchingLines(ring.newestFirst(), query);
}

/** Those of some raw lines that match, oldest first; they are given newest first. */
export function matchingLines(newestFirst: Iterable<string>, query: LogQuery): LogLine[] {
  const found: RankedLine[] = [];
  const keyword = query.keyword?.toLowerCase();
  const least = Number(Object.entries(LEVELS).find(([, level]) => level === query.level)?.[0] ?? 0);
  for (const raw of newestFirst) {
    if (found.length >= query.limit) break;
    if (keyword !== undefined && !raw.toLowerCase().includes(keyword)) continue;
    if (query.anyOf && !query.anyOf.some((text) => raw.includes(text))) continue;
    const line = readLine(raw);
    if (!line || line.rank < least) continue;
    if (query.module !== undefined && line.module !== query.module) continue;
    found.push(line);
  }
  return found.reverse().map(({ rank: _, ...line }) => line);
}

/** Forgets lines written before a wall time; returns how many. */
export function clearLines(ring: LogRing, before: number): number {
  return ring.clear((raw) => (readLine(raw)?.at ?? 0) < before);
}

/** A line cut for its length is shown as far as it goes. */
function readLine(raw: string): RankedLine | undefined {
  try {
    const { level, time, module, msg, ...rest } = JSON.parse(raw) as Record<string, unknown>;
    const facts = Object.keys(rest).length === 0 ? '' : JSON.stringify(rest);
    return {
      at: Date.parse(String(time)),
      rank: Number(level),
      level: LEVELS[Number(level)] ?? 'info',
      module: String(module ?? ''),
      message: String(msg ?? ''),
      facts,
    };
  } catch {
    const time = /"time":"([^"]+)"/.exec(raw)?.[1];
    const at = time === undefined ? Number.NaN : Date.parse(time);
    const rank = Number(/"level":(\d+)/.exec(raw)?.[1] ?? 30);
    const module = /"module":"([^"]+)"/.exec(raw)?.[1] ?? '';
    return Number.isNaN(at)
      ? undefined
      : { at, rank, level: LEVELS[rank] ?? 'info', module, message: raw.slice(0, 1000), facts: '' };
  }
}
