import type { Socket } from 'node:net';
import { type RunReply, type RunRequest, runReplySchema } from './admin-protocol.js';
import { LineFramer } from './line-framer.js';

const MAX_REPLY_BYTES = 64 * 1024 * 1024;

export type Replies = AsyncGenerator<RunReply, undefined>;

/** Sends a request and takes the next reply; undefined when the server has gone. */
export async function request(
  socket: Socket,
  replies: Replies,
  what: RunRequest,
): Promise<RunReply | undefined> {
  send(socket, what);
  return (await replies.next()).value;
}

/** Sends a request without waiting. */
export function send(socket: Socket, what: RunRequest): void {
  socket.write(`${JSON.stringify(what)}\n`);
}

/** The replies of the server, one after another, to its end. */
export async function* readReplies(socket: Socket): Replies {
  const framer = new LineFramer(MAX_REPLY_BYTES);
  for await (const chunk of socket) {
    framer.push(chunk as Buffer);
    for (let line = framer.next(); line !== undefined; line = framer.next()) {
      yield runReplySchema.parse(JSON.parse(line));
    }
  }
  return undefined;
}
