import { DEFAULT_ROWS, MAX_ROWS } from '../limits.js';
import type { ParamSpec } from '../registry/command.js';
import { number, string } from '../registry/param-types.js';
import { type Bilingual, text } from '../text.js';

/** `LIMIT=`: how many rows are printed. */
export const LIMIT = {
  type: number(1, MAX_ROWS),
  purpose: text('Rows to print', '显示条数'),
  default: String(DEFAULT_ROWS),
  example: '20',
} as const satisfies ParamSpec;

/** `AFTER=`: where the page before ended. */
export const AFTER = {
  type: string(),
  purpose: text('Begin after this one', '从此项之后开始'),
  example: '1099',
} as const satisfies ParamSpec;

/** Said under a report that is not the whole. */
export function moreNote(param: string, value: string): Bilingual {
  return text(`More follow: repeat with ${param}=${value}`, `还有更多：请加上 ${param}=${value} 继续查询`);
}

/** A page of what passes a filter. */
export interface FilteredPage<T> {
  readonly items: readonly T[];
  /** Key to go on after; undefined when there is no more. */
  readonly next: string | undefined;
}

const BATCH = 500;

/**
 * Reads a keyed list in batches until `limit` items pass the filter, so that a filter over many never loads all at
 * once. Stops early when `signal` is aborted.
 */
export async function filteredPage<T>(source: {
  list(after: string | undefined, limit: number): Promise<readonly T[]>;
  key(item: T): string;
  accept(item: T): boolean;
  readonly after: string | undefined;
  readonly limit: number;
  readonly signal: AbortSignal;
}): Promise<FilteredPage<T>> {
  const items: T[] = [];
  let { after } = source;
  while (!source.signal.aborted) {
    const batch = await source.list(after, BATCH);
    for (const item of batch) {
      if (!source.accept(item)) continue;
      if (items.length === source.limit) return { items, next: source.key(items.at(-1)!) };
      items.push(item);
    }
    const last = batch.at(-1);
    if (batch.length < BATCH || last === undefined) break;
    after = source.key(last);
  }
  return { items, next: undefined };
}
