import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MmlError } from '../../../src/mml/errors.js';
import { parseCommand } from '../../../src/mml/grammar/command-parser.js';
import { isContinued, splitStatements } from '../../../src/mml/grammar/statement-splitter.js';

/** `words | NAME=value | KEYWORD`, for reading in tables. */
function shape(source: string): string {
  const { words, params } = parseCommand(source);
  const shown = params.map(({ name, value }) =>
    name === undefined
      ? value.text
      : `${name}=${value.parts.length > 1 ? value.parts.join(' & ') : value.text}`,
  );
  return [words.map((word) => word.text).join(' '), ...shown].join(' | ');
}

describe('MML grammar: commands', () => {
  const cases: [string, string][] = [
    ['LST USER', 'LST USER'],
    ['lst user:', 'LST USER'],
    ['DSP CDR: DATE=TODAY, TYPE=CALL', 'DSP CDR | DATE=TODAY | TYPE=CALL'],
    ['DSP CDR DATE=TODAY TYPE=CALL', 'DSP CDR | DATE=TODAY | TYPE=CALL'],
    ['dsp cdr date=Today,type=call', 'DSP CDR | DATE=Today | TYPE=call'],
    ['DSP REG ALL', 'DSP REG ALL'],
    ['DSP REG: ALL', 'DSP REG | ALL'],
    ['DSP REG SPECIFIC URI=sip:1001@ims', 'DSP REG SPECIFIC | URI=sip:1001@ims'],
    ['DSP REG ALL, LIMIT=5', 'DSP REG ALL | LIMIT=5'],
    ['ADD USER: NAME="Li Si", PASSWORD="a;b,c//d"', 'ADD USER | NAME=Li Si | PASSWORD=a;b,c//d'],
    ['ADD USER: NAME="a \\"quoted\\" \\\\ name"', 'ADD USER | NAME=a "quoted" \\ name'],
    ['ADD USER: NAME="李 四 😀"', 'ADD USER | NAME=李 四 😀'],
    ['ADD USER: NAME=""', 'ADD USER | NAME='],
    ['TST X: NUMBERS=1000-1005&1010', 'TST X | NUMBERS=1000-1005 & 1010'],
    ['TST X: L="a b"&c&"d&e"', 'TST X | L=a b & c & d&e'],
    ['X : A=1 ,B=2 , C', 'X | A=1 | B=2 | C'],
    ['HELP CMD=DSP CALL', 'HELP | CMD=DSP | CALL'],
    ['?', '?'],
    ['SET X: K=a=b', 'SET X | K=a=b'],
    ['  LST   USER  ', 'LST USER'],
  ];
  for (const [source, expected] of cases) {
    it(`reads ${source}`, () => assert.equal(shape(source), expected));
  }

  const faults: [string, number, number | undefined][] = [
    ['LST USER: NAME="abc', 1004, 16],
    ['LST USER: NAME="a\nb"', 1004, 16],
    ['LST USER: NAME=', 1005, 16],
    ['LST USER: NAME= x', 1005, 16],
    ['LST USER: NAME=, A=1', 1005, 16],
    ['LST USER: A=1&', 1005, 15],
    ['LST USER: , A=1', 1006, 11],
    ['LST USER: A=1,, B=2', 1006, 15],
    ['LST USER: A=1,', 1006, 15],
    ['LST USER: A=1, a=2', 1007, undefined],
    ['LST USER: A="x"y', 1001, 16],
    ['LST USER: A=x"y"', 1001, 14],
    ['LST USER: NAME="a\\n"', 1010, 18],
    ['LST USER: A=\u0001', 1011, 13],
    ['LST USER: A="\u001b[2J"', 1011, 14],
    ['LST USER: A=\ufffd', 1011, 13],
    ['LST (USER)', 1001, 5],
    ['LST USER = 3', 1001, 10],
    ['=', 1001, 1],
    ['LST 李=1', 0, undefined],
  ];
  for (const [source, retcode, position] of faults) {
    it(`answers ${retcode} to ${JSON.stringify(source)}`, () => {
      if (retcode === 0) return void parseCommand(source);
      assert.throws(
        () => parseCommand(source),
        (error) => {
          assert.ok(error instanceof MmlError);
          assert.equal(error.retcode, retcode);
          if (position !== undefined) assert.match(error.sentence.en, new RegExp(`position ${position}\\b`));
          return true;
        },
      );
    });
  }

  it('takes 64 parameters and refuses 65', () => {
    const params = (count: number) => Array.from({ length: count }, (_, i) => `P${i}=1`).join(',');
    assert.equal(parseCommand(`X Y: ${params(64)}`).params.length, 64);
    assert.throws(() => parseCommand(`X Y: ${params(65)}`), { retcode: 1009 });
  });

  it('refuses a command over the limit whole', () => {
    assert.throws(() => parseCommand(`X Y: A=${'a'.repeat(17_000)}`), { retcode: 1008 });
  });

  it('throws nothing but MmlError 1xxx whatever it is given', () => {
    const alphabet = [
      'A',
      'b',
      '1',
      ' ',
      ':',
      ';',
      ',',
      '=',
      '"',
      '\\',
      '&',
      '/',
      '\n',
      '\t',
      '?',
      '李',
      '\u0000',
      '\ufffd',
      '😀',
      '-',
    ];
    let seed = 20261120;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return seed % below;
    };
    for (let round = 0; round < 5000; round++) {
      const source = Array.from({ length: random(24) }, () => alphabet[random(alphabet.length)]).join('');
      for (const statement of [...splitStatements(source, 'line'), ...splitStatements(source, 'script')]) {
        assert.notEqual(statement.text, '');
        try {
          parseCommand(statement.text);
        } catch (error) {
          assert.ok(
            error instanceof MmlError && error.retcode >= 1000 && error.retcode < 2000,
            `${source}: ${error}`,
          );
        }
      }
    }
  });
});

describe('MML grammar: several commands', () => {
  const texts = (source: string, mode: 'line' | 'script') =>
    splitStatements(source, mode).map((statement) => statement.text);

  it('divides a line at ; outside quotes', () => {
    assert.deepEqual(texts('LST USER; DSP REG ;; X: A="a;b";', 'line'), [
      'LST USER',
      'DSP REG',
      'X: A="a;b"',
    ]);
  });

  it('drops comments, but not // inside a value', () => {
    assert.deepEqual(texts('// all\nLST USER // here\nX: U=http://h/a, V="// no"', 'line'), [
      'LST USER',
      'X: U=http://h/a, V="// no"',
    ]);
  });

  it('goes over lines to the ; in a script and knows the line a command began on', () => {
    const statements = splitStatements(
      '// users\nADD USER:\n  USERNAME=1,\n  NAME="x";\n\nLST USER;',
      'script',
    );
    assert.deepEqual(
      statements.map(({ text, line }) => [text.replace(/\s+/g, ' '), line]),
      [
        ['ADD USER: USERNAME=1, NAME="x"', 2],
        ['LST USER', 6],
      ],
    );
  });

  it('takes each line of a script without any ; as a command', () => {
    assert.deepEqual(texts('LST USER\r\nDSP REG ALL\r\n', 'script'), ['LST USER', 'DSP REG ALL']);
  });

  it('keeps an unclosed quote from eating the commands after it', () => {
    const statements = splitStatements('ADD USER: NAME="x;\nLST USER;\n', 'script');
    assert.throws(() => parseCommand(statements[0]!.text), { retcode: 1004 });
  });

  it('knows a line that goes on', () => {
    assert.equal(isContinued('ADD USER: USERNAME=1,'), true);
    assert.equal(isContinued('ADD USER:  // more'), true);
    assert.equal(isContinued('ADD USER: NAME="x",'), true);
    assert.equal(isContinued('ADD USER: NAME="x,'), false);
    assert.equal(isContinued('ADD USER: USERNAME=1'), false);
    assert.equal(isContinued('ADD USER: USERNAME=1,;'), false);
    assert.equal(isContinued(''), false);
  });
});
