import type { Section } from '../registry/command.js';
import type { LiveReport } from '../registry/live-report.js';
import type { Bilingual } from '../text.js';
import type { Retcode } from './retcodes.js';

/** What came of one command: all that a report prints, in whatever form. */
export interface Outcome {
  /** Number of the report on this console, from 1. */
  readonly serial: number;
  /** Wall milliseconds. */
  readonly at: number;
  /** The command in canonical form with its secrets masked. */
  readonly echo: string;
  readonly retcode: Retcode;
  readonly sentence: Bilingual;
  readonly sections: readonly Section[];
  readonly endSession: boolean;
  /** Set in the parts of a report that goes on, and in what ends it. */
  readonly live?: LiveState;
}

/** Where a report that goes on stands. */
export interface LiveState {
  readonly kind: LiveReport['kind'];
  /** Of this part, from 1; in what ends it, how many there were. */
  readonly part: number;
  readonly more: boolean;
}
