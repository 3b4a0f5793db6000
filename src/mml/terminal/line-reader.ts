import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage } from '../../platform/errors.js';
import { MmlError } from '../errors.js';
import { MAX_LINE_BYTES } from '../limits.js';
import { complete } from '../registry/completion.js';
import { helpAt } from '../registry/help.js';
import type { Rights } from '../registry/roles.js';
import { displayWidth, padTo } from '../report/layout.js';
import { printable } from '../report/printable.js';
import type { ConsoleCore } from '../session/console-core.js';
import type { Language } from '../text.js';
import type { History } from './history.js';
import type { KeyQueue } from './key-queue.js';
import { type EditorAction, LineEditor } from './line-editor.js';
import type { Notices } from './notices.js';
import type { TerminalPort } from './terminal-port.js';

/** What reading a line came to. */
export type LineEntry =
  | { readonly kind: 'line'; readonly line: string; readonly overflowed: boolean }
  | { readonly kind: 'interrupt' | 'eof' | 'closed' };

/** Tab and `?` for command lines. */
export interface Assist {
  readonly core: ConsoleCore;
  readonly rights: Rights;
  language(): Language;
  /** What stood on the lines before this one of the same command. */
  readonly pending: string;
}

export interface LineOptions {
  readonly prompt: string;
  readonly hidden?: boolean;
  /** No prompt on a connection that is no terminal. */
  readonly silentWhenPlain?: boolean;
  readonly history?: History;
  readonly assist?: Assist;
  /** Printed above the line while it is read. */
  readonly notices?: Notices;
}

/** The connection of a session: what it shows, and the keys that came. */
export interface LineIo {
  readonly port: TerminalPort;
  readonly keys: KeyQueue;
}

const BELL = '\x07';

/** Reads one line: edited key by key on a terminal, taken as it comes elsewhere. */
export async function readLine(io: LineIo, options: LineOptions): Promise<LineEntry> {
  const { port } = io;
  const editor = new LineEditor({
    prompt: options.prompt,
    hidden: options.hidden ?? false,
    ...(options.history && { history: options.history }),
    assisted: () => options.assist !== undefined && port.isTerminal(),
    columns: () => port.columns(),
  });
  let isDrawn = false;
  options.notices?.open((text) => port.write(isDrawn ? editor.erase() + text + editor.draw() : text));
  try {
    isDrawn = port.isTerminal();
    if (isDrawn) port.write(editor.draw());
    else if (!options.silentWhenPlain) port.write(options.prompt);
    return await readKeys(io, options, editor, () => {
      const wasDrawn = isDrawn;
      isDrawn = true;
      return wasDrawn;
    });
  } finally {
    options.notices?.shut();
  }
}

/** Reads the answer to a question; undefined when none is given. Rejects with MmlError 1008 when it is too long. */
export async function readAnswer(
  io: LineIo,
  question: { readonly prompt: string; readonly hidden: boolean },
): Promise<string | undefined> {
  const entry = await readLine(io, question);
  if (entry.kind !== 'line') return undefined;
  if (entry.overflowed) throw new MmlError(1008, { limit: MAX_LINE_BYTES });
  return entry.line;
}

/** `draw` says that the line is on the screen from now on, and tells whether it was. */
async function readKeys(
  { port, keys }: LineIo,
  options: LineOptions,
  editor: LineEditor,
  draw: () => boolean,
): Promise<LineEntry> {
  for (;;) {
    const key = keys.poll() ?? (await keys.next());
    if (!key) return { kind: 'closed' };
    const action = editor.press(key);
    const entry = finished(action);
    if (port.isTerminal()) {
      // The client may have become a terminal since the prompt: take the line over as it stands.
      if (!draw()) port.write(editor.draw());
      const isSilent = action.kind === 'edited' || (action.kind === 'refused' && !keys.isEmpty);
      if (!isSilent) await react(action, editor, options.assist, port);
      if (entry || keys.isEmpty) port.write(editor.render());
      if (entry) port.write(entry.kind === 'interrupt' ? '^C\r\n' : '\r\n');
    } else if (entry && options.hidden) {
      port.write('\r\n');
    }
    if (entry) return entry;
  }
}

function finished(action: EditorAction): LineEntry | undefined {
  if (action.kind === 'submit') return { kind: 'line', line: action.line, overflowed: action.overflowed };
  return action.kind === 'interrupt' || action.kind === 'eof' ? { kind: action.kind } : undefined;
}

async function react(
  action: EditorAction,
  editor: LineEditor,
  assist: Assist | undefined,
  port: TerminalPort,
): Promise<void> {
  if (action.kind === 'refused') {
    port.write(BELL);
  } else if (action.kind === 'redraw') {
    port.write(`\x1b[H\x1b[2J${editor.draw()}`);
  } else if (action.kind === 'help' && assist) {
    const lines = helpAt(assist.core.registry, assist.pending + editor.buffer.before, assist.language());
    port.write(`${editor.render()}?\r\n${lines.map(printable).join('\r\n')}\r\n${editor.draw()}`);
    await port.drained();
  } else if (action.kind === 'complete' && assist) {
    await completeLine(editor, assist, port);
    await port.drained();
  }
  await nextTurn();
}

async function completeLine(editor: LineEditor, assist: Assist, port: TerminalPort): Promise<void> {
  const { core, rights, pending } = assist;
  const { replaced, candidates, suffix } = await complete(
    core.registry,
    core.services,
    rights,
    pending + editor.buffer.before,
  ).catch((error: unknown) => {
    core.log.debug({ err: errorMessage(error) }, 'completion failed');
    return { replaced: '', candidates: [] as string[], suffix: '' };
  });
  const common = commonPrefix(candidates);
  if (candidates.length === 0) {
    port.write(BELL);
  } else if (candidates.length === 1 || common.length > replaced.length) {
    editor.buffer.deleteTextBefore(replaced);
    editor.buffer.insertText(candidates.length === 1 ? candidates[0]! + suffix : common);
  } else {
    const shown = inColumns(candidates.map(printable), port.columns());
    port.write(`${editor.render()}\r\n${shown.join('\r\n')}\r\n${editor.draw()}`);
  }
}

function commonPrefix(words: readonly string[]): string {
  let prefix = words[0] ?? '';
  for (const word of words) {
    while (!word.startsWith(prefix)) prefix = prefix.slice(0, -1);
  }
  return prefix;
}

function inColumns(words: readonly string[], columns: number): string[] {
  const width = Math.max(...words.map(displayWidth)) + 2;
  const perLine = Math.max(1, Math.floor((columns - 1) / width));
  const lines: string[] = [];
  for (let i = 0; i < words.length; i += perLine) {
    lines.push(
      words
        .slice(i, i + perLine)
        .map((word) => padTo(word, width))
        .join('')
        .trimEnd(),
    );
  }
  return lines;
}
