/** Entries that operators may make in one list. */
export const MAX_ENTRIES = 10_000;
/** Bans of the server's own; beyond, the one that ends first gives way. */
export const MAX_BANS = 5_000;
/** Characters of a reason. */
export const MAX_REASON = 128;
/** Sources whose offences are counted at once; beyond, the oldest window is forgotten. */
export const MAX_OFFENDERS = 50_000;
/** Sources remembered for a subscriber's right password, and for earlier bans. */
export const MAX_REMEMBERED = 50_000;
/** Sources that DSP ATTACK STAT tells of. */
export const MAX_SOURCES = 1_000;
