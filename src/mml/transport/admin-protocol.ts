import { z } from 'zod';

/**
 * The wire of the admin socket: JSON objects, one a line. The client's first line is a hello. In `run` mode each
 * further line asks for one command and is answered by one line; a report that goes on is answered by many, of which all but
 * the last say `more`, and whatever the client sends next ends it, be it no whole line. In `terminal` mode the bytes after the hello are keys,
 * telnet window-size messages (RFC 1073) among them, and the answer is what the terminal shows.
 */
export const helloSchema = z.object({
  mode: z.enum(['run', 'terminal']),
  /** Who runs the client, for the operation log. */
  user: z.string().max(64).optional(),
  columns: z.int().min(1).max(1000).optional(),
  rows: z.int().min(1).max(1000).optional(),
  format: z.enum(['TEXT', 'JSON']).optional(),
  language: z.enum(['EN', 'ZH']).optional(),
});
export type Hello = z.infer<typeof helloSchema>;

/**
 * A command to run, or to check without running it: the answer's text is then a sentence. `stop` ends a report that goes
 * on and is not answered.
 */
export const runRequestSchema = z.union([
  z.object({ run: z.string() }),
  z.object({ check: z.string() }),
  z.object({ stop: z.literal(true) }),
]);
export type RunRequest = z.infer<typeof runRequestSchema>;

export const runReplySchema = z.object({
  retcode: z.int(),
  /** The report, lines ended by LF. */
  text: z.string(),
  /** The server ends the session. */
  end: z.boolean().optional(),
  /** Of a report that goes on: further replies to the same request follow. */
  more: z.boolean().optional(),
});
export type RunReply = z.infer<typeof runReplySchema>;
