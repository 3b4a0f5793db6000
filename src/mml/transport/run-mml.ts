import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import type { ReadStream, WriteStream } from 'node:tty';
import { errorMessage } from '../../platform/errors.js';
import { type Statement, splitStatements } from '../grammar/statement-splitter.js';
import type { Language } from '../text.js';
import { type Hello, type RunReply, runReplySchema } from './admin-protocol.js';
import { attachTerminal } from './attach-terminal.js';
import { LineFramer } from './line-framer.js';

export interface RunMmlOptions {
  /** The admin socket of the running server, `DATA_DIR/ims.sock`. */
  readonly socketPath: string;
  /** Commands to run, `;` between several. */
  readonly command?: string;
  /** A script to run; `-` is standard input. */
  readonly file?: string;
  /** A session at the user's terminal; also what happens when neither command nor file is given. */
  readonly interactive?: boolean;
  readonly format?: 'TEXT' | 'JSON';
  readonly language?: Language;
  readonly stdin: ReadStream | NodeJS.ReadableStream;
  readonly stdout: WriteStream | NodeJS.WritableStream;
  /** For what is no report: no server, a script that stopped. */
  readonly stderr: NodeJS.WritableStream;
}

/** Exit codes of `ims mml`. */
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_NO_SERVER = 3;

const MAX_REPLY_BYTES = 64 * 1024 * 1024;

/**
 * `ims mml`: runs commands on the server over its admin socket. Resolves the exit code: 0 when every RETCODE was 0, 1
 * when one was not (a script stops there) and 3 when there is no server. Never rejects for those.
 */
export async function runMml(options: RunMmlOptions): Promise<number> {
  let statements: readonly Statement[] | undefined;
  try {
    statements = await readStatements(options);
  } catch (error) {
    options.stderr.write(`ims mml: ${errorMessage(error)}\n`);
    return EXIT_FAILED;
  }
  let socket: Socket;
  try {
    socket = await open(options.socketPath);
  } catch (error) {
    options.stderr.write(
      `ims mml: no server answers on ${options.socketPath} (${errorMessage(error)}). Start one with: ims start\n`,
    );
    return EXIT_NO_SERVER;
  }
  try {
    return await (statements ? runStatements(socket, statements, options) : attach(socket, options));
  } finally {
    socket.destroy();
  }
}

/** The commands to run; undefined for a session at the terminal. */
async function readStatements(options: RunMmlOptions): Promise<readonly Statement[] | undefined> {
  if (options.command !== undefined) return splitStatements(options.command, 'line');
  const { file } = options;
  if (file !== undefined && file !== '-') return splitStatements(await readFile(file, 'utf8'), 'script');
  if (file === undefined && isTerminal(options.stdin)) return undefined;
  let source = '';
  options.stdin.setEncoding('utf8');
  for await (const chunk of options.stdin) source += String(chunk);
  return splitStatements(source, 'script');
}

async function open(path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  return socket;
}

function hello(mode: Hello['mode'], options: RunMmlOptions): Hello {
  return {
    mode,
    user: userInfo().username,
    ...(options.format && { format: options.format }),
    ...(options.language && { language: options.language }),
  };
}

async function runStatements(
  socket: Socket,
  statements: readonly Statement[],
  options: RunMmlOptions,
): Promise<number> {
  const replies = readReplies(socket);
  socket.write(`${JSON.stringify(hello('run', options))}\n`);
  let exitCode = EXIT_OK;
  for (const statement of statements) {
    socket.write(`${JSON.stringify({ run: statement.text })}\n`);
    const { value: reply } = await replies.next();
    if (!reply) {
      options.stderr.write('ims mml: the server closed the connection\n');
      return EXIT_FAILED;
    }
    options.stdout.write(reply.text);
    if (reply.retcode !== 0) exitCode = EXIT_FAILED;
    if (reply.end) break;
    if (reply.retcode !== 0 && options.command === undefined) {
      options.stderr.write(`ims mml: stopped at line ${statement.line}, RETCODE ${reply.retcode}\n`);
      break;
    }
  }
  return exitCode;
}

async function* readReplies(socket: Socket): AsyncGenerator<RunReply, undefined> {
  const framer = new LineFramer(MAX_REPLY_BYTES);
  for await (const chunk of socket) {
    framer.push(chunk as Buffer);
    for (let line = framer.next(); line !== undefined; line = framer.next()) {
      yield runReplySchema.parse(JSON.parse(line));
    }
  }
  return undefined;
}

async function attach(socket: Socket, options: RunMmlOptions): Promise<number> {
  const { stdin, stdout } = options;
  if (!isTerminal(stdin)) return EXIT_FAILED;
  const size = { columns: (stdout as WriteStream).columns ?? 80, rows: (stdout as WriteStream).rows ?? 24 };
  socket.write(`${JSON.stringify({ ...hello('terminal', options), ...size })}\n`);
  await attachTerminal(socket, stdin, stdout as WriteStream);
  return EXIT_OK;
}

function isTerminal(stream: RunMmlOptions['stdin']): stream is ReadStream {
  return (stream as ReadStream).isTTY === true;
}
