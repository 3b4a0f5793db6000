import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { displayWidth } from '../../../src/mml/report/layout.js';
import { History } from '../../../src/mml/terminal/history.js';
import { KeyDecoder } from '../../../src/mml/terminal/key-decoder.js';
import { type EditorAction, LineEditor } from '../../../src/mml/terminal/line-editor.js';
import { Screen } from '../../support/screen.js';

/** An editor with a screen; `type` takes what a terminal would send. */
function editing(options: { columns?: number; history?: string[]; hidden?: boolean } = {}) {
  const history = new History();
  for (const line of options.history ?? []) history.add(line);
  const screen = new Screen();
  const decoder = new KeyDecoder();
  const editor = new LineEditor({
    prompt: 'MML> ',
    history,
    hidden: options.hidden ?? false,
    assisted: () => true,
    columns: () => options.columns ?? 80,
  });
  screen.write(editor.draw());
  const type = (input: string | Uint8Array): EditorAction['kind'] | undefined => {
    let last: EditorAction | undefined;
    for (const key of decoder.push(typeof input === 'string' ? Buffer.from(input) : input))
      last = editor.press(key);
    screen.write(editor.render());
    return last?.kind;
  };
  return { editor, screen, type };
}

describe('line editor', () => {
  const cases: [string, string, string, number][] = [
    ['typing', 'LST USER', 'LST USER', 8],
    ['backspace', 'LSTT\x7f USER\x08\x08', 'LST US', 6],
    ['left, insert, right', 'ac\x1b[Db\x1b[C!', 'abc!', 4],
    ['home and end', 'b\x1b[Ha\x1b[Fc', 'abc', 3],
    ['Ctrl-A and Ctrl-E', 'b\x01a\x05c', 'abc', 3],
    ['home and end, other terminals', 'b\x1b[1~a\x1b[4~c\x1bOHx\x1bOFy', 'xabcy', 5],
    ['delete', 'abc\x01\x1b[3~', 'bc', 0],
    ['Ctrl-D in a line deletes', 'abc\x01\x04', 'bc', 0],
    ['Ctrl-K', 'abcdef\x1b[D\x1b[D\x0b', 'abcd', 4],
    ['Ctrl-U', 'abcdef\x1b[D\x1b[D\x15', 'ef', 0],
    ['Ctrl-W', 'LST USER NAME=x\x17', 'LST USER NAME=', 14],
    ['Ctrl-W over a gap', 'LST USER  \x17', 'LST ', 4],
    ['word left and right', 'one two\x1b[1;5D\x1b[1;5D-\x1b[1;5C+', '-one+ two', 5],
    ['wide characters', '李四\x1b[Dx', '李x四', 2],
    ['a character of several code points', 'e\u0301👨‍👩‍👧x\x1b[D\x7f', 'e\u0301x', 1],
    ['unknown sequences and controls do nothing', 'a\x1b[15~\x1b[99;99;99~\x1bz\x00\x1cb', 'ab', 2],
    ['a lone escape before an arrow', 'ab\x1b\x1b[Dc', 'acb', 2],
  ];
  for (const [name, input, line, cursor] of cases) {
    it(`${name}`, () => {
      const { editor, screen, type } = editing();
      type(input);
      assert.equal(editor.buffer.text, line);
      assert.equal(editor.buffer.cursor, cursor);
      assert.equal(screen.line, `MML> ${line}`.trimEnd());
      assert.equal(screen.cursor, 5 + displayWidth(editor.buffer.before));
    });
    it(`${name}, key by key`, () => {
      const { editor, screen, type } = editing();
      for (const byte of Buffer.from(input)) type(Uint8Array.of(byte));
      assert.equal(editor.buffer.text, line);
      assert.equal(screen.line, `MML> ${line}`.trimEnd());
      assert.equal(screen.cursor, 5 + displayWidth(editor.buffer.before));
    });
  }

  it('scrolls sideways with the cursor always in sight', () => {
    const { editor, screen, type } = editing({ columns: 24 });
    const line = 'ADD USER: NAME="李四李四李四李四", PHONE=12345678901234567890';
    for (const char of line) {
      type(char);
      assert.ok(displayWidth(screen.line) < 24, screen.line);
      assert.ok(screen.cursor < 24);
    }
    assert.equal(editor.buffer.text, line);
    assert.ok(screen.line.endsWith('67890'));
    type('\x01');
    assert.ok(screen.line.startsWith('MML> ADD USER: NAME='), screen.line);
    assert.equal(screen.cursor, 5);
    for (let i = 0; i < line.length; i++) {
      type('\x1b[C');
      assert.ok(screen.cursor < 24 && displayWidth(screen.line) < 24);
    }
  });

  it('goes through history and back to what was being typed', () => {
    const { editor, screen, type } = editing({ history: ['LST USER', 'DSP REG'] });
    type('DSP C');
    type('\x1b[A');
    assert.equal(screen.line, 'MML> DSP REG');
    type('\x1bOA');
    assert.equal(screen.line, 'MML> LST USER');
    assert.equal(type('\x1b[A'), 'refused');
    type('\x1b[B\x1b[B');
    assert.equal(screen.line, 'MML> DSP C');
    assert.equal(editor.buffer.cursor, 5);
  });

  it('searches history with Ctrl-R', () => {
    const { editor, screen, type } = editing({ history: ['LST USER', 'DSP REG', 'LST CDR'] });
    type('\x12lst');
    assert.equal(screen.line, '(search) lst: LST CDR');
    type('\x12');
    assert.equal(screen.line, '(search) lst: LST USER');
    assert.equal(type('\r'), 'submit');
    assert.equal(editor.buffer.text, 'LST USER');
    const second = editing({ history: ['LST USER'] });
    second.type('abc\x12USE');
    second.type('\x03');
    assert.equal(second.screen.line, 'MML> abc');
  });

  it('shows nothing of a hidden line', () => {
    const { editor, screen, type } = editing({ hidden: true });
    type('sec?ret\t\x1b[D\x7f!');
    assert.equal(screen.line, 'MML>');
    assert.ok(editor.buffer.text.startsWith('sec?ret'.slice(0, 6)));
  });

  it('takes ? and Tab for help, but not in quotes', () => {
    const { type } = editing();
    assert.equal(type('DSP ?'), 'help');
    assert.equal(type('\t'), 'complete');
    assert.equal(type(': A="?'), 'edited');
    assert.equal(type('\\"?'), 'edited');
    assert.equal(type('" ?'), 'help');
  });

  it('refuses more than 4 KiB and says so at Enter; cutting it down makes it good again', () => {
    const { editor, type } = editing();
    assert.equal(type('x'.repeat(4096)), 'edited');
    assert.equal(type('y'), 'refused');
    const submit = editor.press({ kind: 'key', name: 'enter' });
    assert.ok(submit.kind === 'submit' && submit.overflowed);
    type('\x15LST USER');
    const again = editor.press({ kind: 'key', name: 'enter' });
    assert.ok(again.kind === 'submit' && !again.overflowed && again.line === 'LST USER');
  });

  it('knows Ctrl-C, and Ctrl-D on an empty line', () => {
    const { type } = editing();
    assert.equal(type('\x04'), 'eof');
    assert.equal(type('abc\x03'), 'interrupt');
  });
});

describe('key decoder', () => {
  const names = (chunks: readonly Uint8Array[]) => {
    const decoder = new KeyDecoder();
    return chunks
      .flatMap((chunk) => decoder.push(chunk))
      .map((key) => (key.kind === 'char' ? key.char : `<${key.name}>`));
  };

  it('puts UTF-8 and escape sequences together wherever they were cut', () => {
    const bytes = Buffer.from('a李\x1b[A😀\x1bOB\x1b[3~z');
    const whole = names([bytes]);
    assert.deepEqual(whole, ['a', '李', '<up>', '😀', '<down>', '<delete>', 'z']);
    assert.deepEqual(names([...bytes].map((byte) => Uint8Array.of(byte))), whole);
  });

  it('turns broken UTF-8 into U+FFFD', () => {
    assert.deepEqual(
      names([Buffer.from([0x61, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x62])]).filter(
        (name) => name !== '\ufffd',
      ),
      ['a', '(', 'b'],
    );
  });

  it('ends a sequence that never ends', () => {
    assert.deepEqual(names([Buffer.from(`\x1b[${'1;'.repeat(50)}`)]).length < 100, true);
    assert.deepEqual(names([Buffer.from('\x1b[\rx')]).at(-1), 'x');
  });
});
