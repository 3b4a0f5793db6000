/** Active alarms of one name; further subjects are gathered in one, `*`: a flood of sources makes no flood of alarms. */
export const MAX_ACTIVE_PER_NAME = 100;
/** Gathered subjects of one name that are known; of more it ends with the last known one. */
export const MAX_GATHERED = 10_000;
/** Past alarms that are kept; the oldest give way. */
export const MAX_HISTORY = 1000;
/** Characters of a subject and of a detail that are kept. */
export const MAX_SUBJECT = 120;
export const MAX_DETAIL = 300;
/** Alarms of the last run that nobody has confirmed after this long are taken as over, milliseconds. */
export const CONFIRM_MS = 5 * 60_000;
/** Changes are written to the Store together after this time; after a failure it is tried again, milliseconds. */
export const WRITE_DELAY_MS = 50;
export const WRITE_RETRY_MS = 5000;
