/** Longest line that is taken, bytes of UTF-8; a longer one is refused whole, never cut and run. */
export const MAX_LINE_BYTES = 4096;
/** Longest command over several lines, bytes of UTF-8. */
export const MAX_COMMAND_BYTES = 16_384;
/** Most parameters of one command. */
export const MAX_PARAMS = 64;
/** Most rows that one command may be asked to print. */
export const MAX_ROWS = 1000;
/** Rows printed when the operator does not say. */
export const DEFAULT_ROWS = 100;
/** A command that has not answered after this long is given up, milliseconds. */
export const COMMAND_TIMEOUT_MS = 30_000;
/** Keys typed ahead while a command runs; beyond it the socket is not read until they are used up. */
export const MAX_TYPE_AHEAD_KEYS = 8192;
/** Alarms that wait to be printed while a report stands; of more only the number is told. */
export const MAX_WAITING_NOTICES = 50;
/** Keys that one session uses up before the thread turns to calls and other sessions; some hundred microseconds. */
export const MAX_KEYS_PER_TURN = 256;
/** Lines kept for the up arrow, each session. */
export const MAX_HISTORY_LINES = 200;
/** Output that a client has not read yet, bytes; a client beyond it is disconnected. */
export const MAX_OUTPUT_BACKLOG_BYTES = 1024 * 1024;
/** A client that has not read its report after this long is disconnected, milliseconds. */
export const DRAIN_TIMEOUT_MS = 60_000;
/** Sessions logged in by telnet at one time. */
export const MAX_SESSIONS = 64;
/** Connections that have not logged in yet, in all and from one address. */
export const MAX_UNAUTHENTICATED = 64;
export const MAX_UNAUTHENTICATED_PER_ADDRESS = 16;
/** What a connection may send before it has logged in, bytes; it shares a thread with calls. */
export const MAX_UNAUTHENTICATED_BYTES = 512 * 1024;
/** Connections on the admin socket at one time. */
export const MAX_LOCAL_CONNECTIONS = 64;
/** A connection that has not logged in by then is closed, milliseconds. */
export const LOGIN_TIMEOUT_MS = 60_000;
/** A session without a key pressed for this long is closed, milliseconds. */
export const IDLE_TIMEOUT_MS = 30 * 60_000;
/** First keepalive probe on a quiet connection, milliseconds: half-open clients go away. */
export const KEEPALIVE_MS = 60_000;
/** Wrong passwords on one connection before it is closed. */
export const MAX_LOGIN_TRIES = 3;
/** Addresses remembered for login throttling; the oldest give way. */
export const MAX_THROTTLED_ADDRESSES = 1024;
/** Telnet subnegotiation payload kept, bytes; a longer one is dropped. */
export const MAX_SUBNEGOTIATION_BYTES = 256;
/** Telnet option requests answered on one connection; later ones are ignored. */
export const MAX_NEGOTIATIONS = 256;
/** Operation log: size at which a file is rotated, and files kept. */
export const MAX_OPLOG_FILE_BYTES = 5 * 1024 * 1024;
export const MAX_OPLOG_FILES = 5;
/** A connection that was ended is cut off when it has not closed by then, milliseconds. */
export const CLOSE_TIMEOUT_MS = 2000;
/** One request on the admin socket, bytes. */
export const MAX_ADMIN_REQUEST_BYTES = 65_536;
/** Largest file that a command reads, bytes. */
export const MAX_EXCHANGE_BYTES = 64 * 1024 * 1024;
/** A command that moves many rows is given up after this long, milliseconds. */
export const LONG_COMMAND_TIMEOUT_MS = 10 * 60_000;
/** Reports that go on (WATCH, FOLLOW), of all sessions together. */
export const MAX_LIVE_REPORTS = 32;
/** SSH: the key exchange must be over by then, milliseconds. */
export const SSH_HANDSHAKE_TIMEOUT_MS = 15_000;
/** SSH: key exchanges of clients that have not logged in, in all and from one address; sustained, and at once. */
export const SSH_HANDSHAKES_PER_SEC = 20;
export const SSH_HANDSHAKE_BURST = 100;
export const SSH_HANDSHAKES_PER_SEC_PER_ADDRESS = 5;
export const SSH_HANDSHAKE_BURST_PER_ADDRESS = 40;
/** SSH: what a connection may send before it has logged in, bytes; a login takes some 4 KiB. */
export const SSH_MAX_UNAUTHENTICATED_BYTES = 64 * 1024;
/** SSH: requests to log in on one connection, the wrong kinds (none, public key) among them. */
export const SSH_MAX_LOGIN_REQUESTS = 20;
/** SSH: terminals and commands at one time on one connection. */
export const SSH_MAX_CHANNELS = 8;
/** SSH: channels on one connection that were opened and closed without a terminal or a command. */
export const SSH_MAX_EMPTY_CHANNELS = 16;
/** SSH: input that no session has taken yet, bytes a channel; the window is 2 MiB, a client that does not keep to it is cut off. */
export const SSH_MAX_UNREAD_BYTES = 2 * 1024 * 1024 + 64 * 1024;
/** SSH: key exchanges that a client may ask for on one connection, each minute. */
export const SSH_MAX_REKEYS_PER_MIN = 10;
/** Largest result file of a task, bytes; reports beyond it are left out. */
export const MAX_RESULT_BYTES = 4 * 1024 * 1024;
/** Largest script of a task, bytes. */
export const MAX_TASK_BYTES = 65_536;
/** Most commands of a task. */
export const MAX_TASK_COMMANDS = 1000;
