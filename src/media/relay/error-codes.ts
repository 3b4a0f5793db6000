/** Numbers that RTPProxy puts after `E`; the names say what went wrong. */
export const ERROR = {
  /** Unknown command letter. */
  UNKNOWN_COMMAND: 0,
  /** Wrong number of arguments. */
  ARGUMENTS: 1,
  /** The command takes no modifiers. */
  MODIFIERS: 2,
  /** Subcommands (`&&`) are not taken here. */
  SUBCOMMAND: 3,
  /** No command, no cookie, or over a bound. */
  SYNTAX: 5,
  /** Unknown modifier of D. */
  DELETE_MODIFIER: 8,
  /** Unknown modifier of G. */
  STATS_MODIFIER: 9,
  /** `E` without a second interface. */
  EXTERNAL: 11,
  /** `I` without a second interface. */
  INTERNAL: 12,
  /** Bad list after `c`. */
  CODECS: 14,
  /** Bad address after `l`. */
  LOCAL_ADDRESS: 15,
  /** Bad address after `r`. */
  REMOTE_ADDRESS: 16,
  /** Unknown modifier of I. */
  INFO_MODIFIER: 18,
  /** Unknown modifier of Q. */
  QUERY_MODIFIER: 19,
  /** Unknown modifier of U or L. */
  UPDATE_MODIFIER: 35,
  /** No local address of the wanted family. */
  FAMILY: 36,
  /** The remote address or port is malformed. */
  REMOTE: 37,
  /** No such session. */
  UNKNOWN_SESSION: 50,
  /** Playing is not possible. */
  PLAY: 60,
  /** Unknown counter in Q. */
  QUERY_COUNTER: 62,
  /** Copying and recording are not possible. */
  COPY: 65,
  /** Unknown counter in G. */
  STATS_COUNTER: 68,
  /** No free port for the second side of a session. */
  NO_PORT: 71,
  /** No free port for a new session. */
  NO_PORT_NEW: 72,
  /** Time-out notifications are off. */
  NO_NOTIFY: 75,
  /** Too many sessions. */
  OVERLOAD: 98,
} as const;

/** A command that gets an `E` reply. Made for each bad command, so it carries no stack. */
export class CommandError {
  constructor(readonly number: number) {}

  /** As it goes on the wire, without cookie and line end. */
  get reply(): string {
    return `E${this.number}`;
  }
}
