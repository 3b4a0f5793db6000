import type { CommandResult } from './command.js';

/** What one part of a report that goes on shows. */
export type LivePart = Pick<CommandResult, 'sections' | 'note'>;

/** A report that goes on after it was begun, until somebody ends it. */
export interface LiveReport {
  /** `watch`: each part is the whole report anew. `follow`: each part adds rows to the first section of the first part. */
  readonly kind: 'watch' | 'follow';
  /**
   * The parts, one after another. The next is asked for when the client has read the one before, so that output which
   * is not read stops the making. Ends by itself or when `signal` is aborted; what it throws ends the report.
   */
  parts(signal: AbortSignal): AsyncIterable<LivePart>;
}
