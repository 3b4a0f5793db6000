import { once } from 'node:events';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import type { ReadStream, WriteStream } from 'node:tty';
import { errorMessage } from '../../platform/errors.js';
import { type Statement, splitStatements } from '../grammar/statement-splitter.js';
import type { Language } from '../text.js';
import { type Replies, readReplies, request, send } from './admin-client.js';
import type { Hello, RunReply } from './admin-protocol.js';
import { attachTerminal } from './attach-terminal.js';
import { StepPrompt } from './step-prompt.js';

export interface RunMmlOptions {
  /** The admin socket of the running server, `DATA_DIR/ims.sock`. */
  readonly socketPath: string;
  /** Commands to run, `;` between several. */
  readonly command?: string;
  /** A script to run; `-` is standard input. */
  readonly file?: string;
  /** A session at the user's terminal; also what happens when neither command nor file is given. */
  readonly interactive?: boolean;
  /** A script goes on after a command that failed. */
  readonly keepGoing?: boolean;
  /** Asks before each command of a script file; needs a terminal. */
  readonly step?: boolean;
  /** File for the reports of a script; its progress is then told on `stderr`. */
  readonly output?: string;
  readonly format?: 'TEXT' | 'JSON';
  readonly language?: Language;
  readonly stdin: ReadStream | NodeJS.ReadableStream;
  readonly stdout: WriteStream | NodeJS.WritableStream;
  /** For what is no report: no server, a script that stopped. */
  readonly stderr: NodeJS.WritableStream;
  /** Calls `stop` at the next Ctrl-C, which ends a report that goes on; what it returns takes that back. */
  readonly onInterrupt?: (stop: () => void) => () => void;
}

/** Exit codes of `ims mml`. */
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_UNUSABLE_SCRIPT = 2;
export const EXIT_NO_SERVER = 3;

/**
 * `ims mml`: runs commands on the server over its admin socket. Resolves the exit code: 0 when every RETCODE was 0, 1
 * when one was not (a script stops there unless `keepGoing`), 2 when a script cannot be run as it is written, and 3 when
 * there is no server. A script is checked as a whole before its first command runs. Never rejects for those.
 */
export async function runMml(options: RunMmlOptions): Promise<number> {
  const { file = '-' } = options;
  if (options.step && (file === '-' || options.command !== undefined || !isTerminal(options.stdin))) {
    options.stderr.write('ims mml: --step needs a script file (-f FILE) and a terminal\n');
    return EXIT_UNUSABLE_SCRIPT;
  }
  let statements: readonly Statement[] | undefined;
  try {
    statements = await readStatements(options);
  } catch (error) {
    options.stderr.write(`ims mml: ${errorMessage(error)}\n`);
    return EXIT_FAILED;
  }
  let socket: Socket;
  try {
    socket = await connected(options.socketPath);
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

async function connected(path: string): Promise<Socket> {
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
  if (options.command === undefined && !(await isRunnable(socket, replies, statements, options)))
    return EXIT_UNUSABLE_SCRIPT;
  const file = options.output === undefined ? undefined : await openOutput(options);
  if (options.output !== undefined && !file) return EXIT_FAILED;
  try {
    const print = async (text: string): Promise<void> => {
      if (file) await file.writeFile(text);
      else await written(options.stdout, text);
    };
    return await runAll(socket, replies, statements, options, print);
  } finally {
    await file?.close();
  }
}

async function openOutput({ output, stderr }: RunMmlOptions): Promise<FileHandle | undefined> {
  try {
    return await open(output!, 'w', 0o600);
  } catch (error) {
    stderr.write(`ims mml: ${errorMessage(error)}\n`);
    return undefined;
  }
}

async function runAll(
  socket: Socket,
  replies: Replies,
  statements: readonly Statement[],
  options: RunMmlOptions,
  print: (text: string) => Promise<void>,
): Promise<number> {
  const { stderr, command, keepGoing = false, output } = options;
  const isScript = command === undefined;
  const steps = options.step ? new StepPrompt(options.stdin, stderr) : undefined;
  let failed = 0;
  for (const [index, statement] of statements.entries()) {
    const answer = await steps?.ask(statement, index + 1, statements.length);
    if (answer === 'skip') continue;
    if (answer === 'quit') {
      stderr.write(`ims mml: ended before line ${statement.line}\n`);
      return EXIT_FAILED;
    }
    const reply = await runOne(socket, replies, statement.text, print, options);
    if (!reply) {
      stderr.write('ims mml: the server closed the connection\n');
      return EXIT_FAILED;
    }
    if (output !== undefined)
      stderr.write(`${index + 1}/${statements.length}  line ${statement.line}  RETCODE ${reply.retcode}\n`);
    if (reply.retcode !== 0) failed++;
    if (reply.end) break;
    if (reply.retcode === 0 || !isScript) continue;
    // Who is asked before the next command decides then.
    const goesOn = keepGoing || steps?.isAsking === true;
    const what = goesOn ? 'failed' : 'stopped';
    stderr.write(`ims mml: ${what} at line ${statement.line}, RETCODE ${reply.retcode}\n`);
    if (!goesOn) break;
  }
  if (keepGoing && isScript) stderr.write(`ims mml: ${statements.length} commands, ${failed} failed\n`);
  return failed === 0 ? EXIT_OK : EXIT_FAILED;
}

/** Runs one command and prints its report, part by part when it goes on: Ctrl-C ends it then. Resolves the last reply. */
async function runOne(
  socket: Socket,
  replies: Replies,
  command: string,
  print: (text: string) => Promise<void>,
  { onInterrupt }: RunMmlOptions,
): Promise<RunReply | undefined> {
  let reply = await request(socket, replies, { run: command });
  let forget: (() => void) | undefined;
  try {
    for (; reply; reply = (await replies.next()).value) {
      if (reply.more) forget ??= onInterrupt?.(() => send(socket, { stop: true }));
      await print(reply.text);
      if (!reply.more) return reply;
    }
    return undefined;
  } finally {
    forget?.();
  }
}

/** Writes a text and waits while the reader is behind; the program itself ends when the reader is gone. */
async function written(stream: NodeJS.WritableStream, text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.write(text, () => resolve());
  });
}

/** Whether the server knows every command of a script and takes its parameters; tells of each that it does not. */
async function isRunnable(
  socket: Socket,
  replies: Replies,
  statements: readonly Statement[],
  { stderr }: RunMmlOptions,
): Promise<boolean> {
  let faults = 0;
  for (const { text, line } of statements) {
    const reply = await request(socket, replies, { check: text });
    if (!reply || reply.retcode === 0) continue;
    stderr.write(`ims mml: line ${line}: RETCODE ${reply.retcode}  ${reply.text}\n`);
    faults++;
  }
  if (faults > 0)
    stderr.write(`ims mml: nothing was run: ${faults} of ${statements.length} commands have errors\n`);
  return faults === 0;
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
