import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { unlinkSync } from 'node:fs';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { AppError } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import { MAX_COMMAND_BYTES, splitCookie } from './command.js';
import { CommandError, ERROR } from './error-codes.js';
import { ReplyCache } from './reply-cache.js';

/** Stream connections served at once. */
const MAX_CONNECTIONS = 64;

/** Runs a command line and gives the reply line; never rejects. */
export type RunCommand = (line: string) => Promise<string>;

/** A bound control socket. */
export interface ControlListener extends Closeable {
  /** As a client is told: `rtpproxy+udp://127.0.0.1:7722`. */
  readonly url: string;
}

/**
 * Listens for commands where `where` says, in RTPProxy's words: `udp:127.0.0.1:7722`, `tcp:127.0.0.1:7722`,
 * `unix:/run/relay.sock`; port 0 lets the system choose, IPv6 addresses stand in brackets.
 * Rejects with AppError BAD_CONTROL_SOCKET for other words, and with the system's error when it cannot bind.
 */
export async function listenControl(
  where: string,
  run: RunCommand,
  nowMs: () => number,
): Promise<ControlListener> {
  const match = /^(?:(udp|tcp):(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})|unix:(\/.+))$/.exec(where);
  if (!match) {
    throw new AppError(
      'BAD_CONTROL_SOCKET',
      `control socket '${where}' is not udp:, tcp:<address>:<port> or unix:<path>`,
    );
  }
  const [, kind, v6, v4, port, path] = match;
  if (path !== undefined) return listenUnix(path, run);
  const address = (v6 ?? v4)!;
  return kind === 'udp'
    ? listenUdp(address, Number(port), run, nowMs)
    : listenTcp(address, Number(port), run);
}

async function listenUdp(
  address: string,
  port: number,
  run: RunCommand,
  nowMs: () => number,
): Promise<ControlListener> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', recvBufferSize: 1_048_576 });
  const cache = new ReplyCache();
  let isOpen = true;
  socket.on('message', (datagram, from) => {
    void answerDatagram(datagram, cache, run, nowMs()).then((reply) => {
      if (isOpen) socket.send(reply, from.port, from.address, () => {});
    });
  });
  socket.bind(port, address);
  await once(socket, 'listening');
  socket.on('error', () => {});
  const url = `rtpproxy+udp://${isIPv6(address) ? `[${address}]` : address}:${socket.address().port}`;
  const close = (): Promise<void> => {
    if (!isOpen) return Promise.resolve();
    isOpen = false;
    return new Promise((resolve) => socket.close(() => resolve()));
  };
  return { url, close };
}

/** `cookie command` in, `cookie reply` out. A command is asked for once a cookie. */
async function answerDatagram(
  datagram: Buffer,
  cache: ReplyCache,
  run: RunCommand,
  nowMs: number,
): Promise<string> {
  const syntaxError = new CommandError(ERROR.SYNTAX).reply;
  if (datagram.length > MAX_COMMAND_BYTES) return `${syntaxError}\n`;
  const { cookie, line } = splitCookie(datagram.toString('latin1'));
  if (cookie === '') return `${syntaxError}\n`;
  return `${cookie} ${await cache.reply(cookie, nowMs, () => run(line))}\n`;
}

async function listenTcp(address: string, port: number, run: RunCommand): Promise<ControlListener> {
  const listener = await listenStream({ host: address, port }, run);
  const bound = listener.server.address();
  const boundPort = typeof bound === 'object' && bound ? bound.port : port;
  return {
    url: `rtpproxy+tcp://${isIPv6(address) ? `[${address}]` : address}:${boundPort}`,
    close: listener.close,
  };
}

async function listenUnix(path: string, run: RunCommand): Promise<ControlListener> {
  // A socket file left by a process that was killed would make binding fail; RTPProxy removes it too.
  try {
    unlinkSync(path);
  } catch {
    // There was none.
  }
  const listener = await listenStream({ path }, run);
  return { url: `rtpproxy+unix://${path}`, close: listener.close };
}

async function listenStream(
  where: { host: string; port: number } | { path: string },
  run: RunCommand,
): Promise<{ server: Server; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveStream(socket, run);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(where);
  await once(server, 'listening');
  server.on('error', () => {});
  const close = (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { server, close };
}

/** One command a line and one reply a line, in order, without cookies. Ends a connection that sends an endless line. */
function serveStream(socket: Socket, run: RunCommand): void {
  let rest = '';
  let tail: Promise<void> = Promise.resolve();
  const answer = (line: string): void => {
    if (line.trim() === '') return;
    tail = tail.then(async () => {
      const reply = await run(line);
      if (socket.writable) socket.write(`${reply}\n`);
    });
  };
  socket.setEncoding('latin1');
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) answer(line);
    if (rest.length > MAX_COMMAND_BYTES) socket.destroy();
  });
  socket.on('end', () => {
    answer(rest);
    void tail.then(() => socket.end());
  });
}
