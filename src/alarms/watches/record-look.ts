import type { AlarmStates } from '../types.js';
import type { Look } from './rounds.js';

/** How call records are doing. */
export interface RecordState {
  /** Records that the Store does not have yet. */
  readonly waiting: number;
  readonly isJournalWritten: boolean;
  /** Records lost or refused for good since start. */
  readonly lost: number;
}

/** Watches the journal of records. `limit` is read each time; 0 turns the alarm for waiting ones off. */
export function recordLook(records: () => RecordState, limit: () => number, alarms: AlarmStates): Look {
  let isHigh = false;
  let lostBefore = 0;
  return {
    name: 'records',
    everyMs: 2000,
    look() {
      const { waiting, isJournalWritten, lost } = records();
      const most = limit();
      // Half of the limit ends it: no flutter at the edge.
      isHigh = most > 0 && waiting >= (isHigh ? most / 2 : most);
      alarms.state('RECORDS_WAITING', '', isHigh, `${waiting} wait`);
      alarms.state('JOURNAL_FAILING', '', !isJournalWritten, 'the disk takes no entries');
      if (lost > lostBefore) alarms.raise('RECORDS_LOST', '', `${lost} since the start`);
      lostBefore = lost;
    },
  };
}
