import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { allCommands } from '../../../src/mml/commands/all-commands.js';
import { parseCommand } from '../../../src/mml/grammar/command-parser.js';
import { splitStatements } from '../../../src/mml/grammar/statement-splitter.js';
import { bindParams } from '../../../src/mml/registry/bind-params.js';
import { type Command, defineCommand } from '../../../src/mml/registry/command.js';
import { commandHelp, VERBS } from '../../../src/mml/registry/help.js';
import { flag, number, oneOf, string } from '../../../src/mml/registry/param-types.js';
import { referenceMarkdown } from '../../../src/mml/registry/reference.js';
import { Registry } from '../../../src/mml/registry/registry.js';
import { RETCODES } from '../../../src/mml/report/retcodes.js';
import { type Bilingual, text } from '../../../src/mml/text.js';

const registry = new Registry(allCommands);
const env = { now: Date.parse('2026-11-20T12:00:00') };
const bind = (source: string) => {
  const { command, params } = registry.resolve(parseCommand(source));
  return { command, ...bindParams(command, params, env) };
};

describe('MML registry: every declaration', () => {
  for (const command of allCommands) {
    it(`${command.path} is whole`, () => checkDeclaration(command));
  }

  it('has a text in both languages for every RETCODE, with the same places to fill', () => {
    const places = (value: string) => [...value.matchAll(/\{\w+\}/g)].map(String).sort();
    for (const [code, sentence] of Object.entries(RETCODES)) {
      checkText(sentence, code);
      assert.deepEqual([...new Set(places(sentence.zh))], [...new Set(places(sentence.en))], code);
    }
  });

  it('is what docs/mml-reference.md says (else run node scripts/mml-reference.mjs)', async () => {
    assert.equal(await readFile('docs/mml-reference.md', 'utf8'), referenceMarkdown(registry, 'EN'));
  });
});

function checkText(value: Bilingual, where: string): void {
  assert.ok(value.en.trim() !== '', `${where}: English is missing`);
  assert.ok(value.zh.trim() !== '', `${where}: Chinese is missing`);
}

function checkDeclaration(command: Command): void {
  assert.match(command.path, /^[A-Z]{3}( [A-Z]+){0,2}$/);
  assert.ok(VERBS[command.verb], `${command.verb} is no verb`);
  checkText(command.purpose, command.path);
  if (command.dangerous) checkText(command.dangerous, command.path);
  for (const report of command.reports ?? []) {
    checkText(report.title, report.name);
    for (const column of report.columns) checkText(column.title, `${report.name}.${column.key}`);
    assert.equal(new Set(report.columns.map((column) => column.key)).size, report.columns.length);
  }
  for (const [name, spec] of Object.entries(command.params)) {
    assert.match(name, /^[A-Z][A-Z0-9]*$/);
    checkText(spec.purpose, name);
    checkText(spec.type.allowed, name);
    assert.ok(!(spec.required && spec.default !== undefined), `${name} is required and has a default`);
    if (spec.keyword) assert.ok(spec.type.values || spec.type.takesWords, `${name} has no words`);
    if (spec.secret) assert.equal(spec.default, undefined);
  }
  for (const name of [...(command.oneOf ?? []), ...(command.excludes ?? [])].flat()) {
    assert.ok(command.params[name], `${name} is not declared`);
  }
  assert.ok(command.examples.length > 0, 'an example is missing');
  for (const example of command.examples) {
    const [statement] = splitStatements(example, 'line');
    const { command: found, params } = registry.resolve(parseCommand(statement!.text));
    assert.equal(found, command, example);
    bindParams(command, params, env);
  }
  assert.ok(commandHelp(command, 'ZH').length >= 2);
}

describe('MML registry: finding and binding', () => {
  const same = (a: string, b: string) => assert.equal(bind(a).command, bind(b).command);

  it('knows the old spellings', () => {
    same('ADD USR USERNAME=1001 PASSWORD=secret1', 'ADD USER: USERNAME=1001, PASSWORD=secret1');
    same('DSP CDR TODAY', 'LST CDR');
    same('SET LOGLEVEL LEVEL=INFO', 'SET LOG: LEVEL=info');
    same('DSP REG: STAT', 'DSP REG STAT');
    same('HELP ALL', 'HLP');
  });

  it('prefers the longer spelling and leaves other words as keywords', () => {
    assert.equal(bind('DSP CALL STAT').command.path, 'DSP CALL STAT');
    assert.deepEqual(bind('DSP CALL ACTIVE').values, { ACTIVE: true, LIMIT: 100 });
  });

  it('gathers the words of a command name', () => {
    assert.equal(bind('HELP CMD=DSP CALL STAT').values['CMD'], 'DSP CALL STAT');
    assert.equal(bind('HLP: CMD="add  user"').values['CMD'], 'ADD USER');
    assert.equal(bind('HLP ADD USER').values['TOPIC'], 'ADD USER');
  });

  it('takes CONFIRM with every command', () => {
    assert.equal(bind('RMV REG SPECIFIC URI=sip:1001@ims CONFIRM=YES').confirmed, true);
    assert.equal(bind('LST USER').confirmed, false);
    assert.throws(() => bind('LST USER CONFIRM=MAYBE'), { retcode: 2003 });
  });

  const faults: [string, number, RegExp][] = [
    ['LSTT USER', 1002, /LST/],
    ['LST USERS', 1002, /LST USER/],
    ['XYZZY', 1002, /HLP/],
    ['LST', 1003, /LST \?/],
    ['LST USER: USRNAME=1', 2001, /USERNAME/],
    ['LST USER EVERY', 2005, /EVERY/],
    ['LST USER: USERNAME', 2003, /Value of USERNAME is not valid: .+ is expected/],
    ['ADD USER: USERNAME=1001', 2002, /PASSWORD/],
    ['RMV CALL', 2002, /ID\|CALLID/],
    ['RMV CALL: ID=1, CALLID=2', 2006, /ID, CALLID/],
    ['LST USER: LIMIT=0', 2004, /1\.\.1000/],
    ['LST USER: LIMIT=ten', 2003, /whole number/],
    ['LST USER: STATUS=DEAD', 2003, /ACTIVE\|INACTIVE\|SUSPENDED/],
    ['LST CDR: DATE=2026-02-30', 2003, /TODAY/],
    ['DSP CDR TODAY DATE=TODAY', 1007, /DATE/],
  ];
  for (const [source, retcode, sentence] of faults) {
    it(`answers ${retcode} to ${source}`, () => {
      assert.throws(
        () => bind(source),
        (error: { retcode?: number; message?: string }) => {
          assert.equal(error.retcode, retcode);
          assert.match(error.message ?? '', sentence);
          return true;
        },
      );
    });
  }

  it('refuses two commands of one spelling', () => {
    const spec = {
      verb: 'LST',
      object: 'X',
      purpose: text('a', 'b'),
      params: {
        A: { type: string(), purpose: text('a', 'b') },
        ALL: { type: flag('ALL'), purpose: text('a', 'b'), keyword: true },
      },
      examples: ['LST X'],
      handler: () => ({}),
    };
    const [a, b] = [defineCommand(spec), defineCommand({ ...spec, object: 'Y', aliases: ['LST X'] })];
    assert.throws(() => new Registry([a, b]), /declared twice/);
  });

  it('derives the role from verb and danger', () => {
    const base = {
      object: 'X',
      purpose: text('a', 'b'),
      params: {
        N: { type: number(1, 2), purpose: text('a', 'b') },
        E: { type: oneOf(['A']), purpose: text('a', 'b') },
      },
      examples: [],
      handler: () => ({}),
    };
    assert.equal(defineCommand({ ...base, verb: 'DSP' }).role, 'GUEST');
    assert.equal(defineCommand({ ...base, verb: 'ADD' }).role, 'OPERATOR');
    assert.equal(defineCommand({ ...base, verb: 'RMV', dangerous: text('a', 'b') }).role, 'ADMIN');
    assert.equal(registry.find('RMV CALL')?.role, 'ADMIN');
    assert.equal(registry.find('LST OPERATOR')?.role, 'ADMIN');
  });
});
