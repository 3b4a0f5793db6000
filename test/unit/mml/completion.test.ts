import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Role } from '../../../src/accounts/types.js';
import { SoundLibrary } from '../../../src/audio/sound-library.js';
import { allCommands } from '../../../src/mml/commands/all-commands.js';
import { complete } from '../../../src/mml/registry/completion.js';
import { helpAt } from '../../../src/mml/registry/help.js';
import { Registry } from '../../../src/mml/registry/registry.js';
import { mmlTestServices } from '../../support/mml-services.js';

const registry = new Registry(allCommands);
const services = mmlTestServices();
await services.users.add('1001', { password: 'secret1' });
await services.users.add('1002', { password: 'secret1' });

const offered = async (before: string, role: Role = 'ADMIN') =>
  (await complete(registry, services, { role, grants: [] }, before)).candidates.join(' ');
const help = (before: string) => helpAt(registry, before, 'EN').join('\n');

const VERBS = 'ACT ADD CHK CLR DEA DSP EXP HLP IMP LGO LST MOD RMV RST SAV SET STP STR TST UNL';

describe('MML completion', () => {
  const cases: [string, string][] = [
    ['', VERBS],
    ['l', 'LGO LST'],
    [
      'LST ',
      'ALARM ANNOUNCE BLACKLIST CDR CFG CMDGROUP CODE CONF GROUP MESSAGE NUMBER OPERATOR OPKEY OPLOG RELAY ROUTE SESSION SOUND TASK TRANSLATION TRUNK USER WHITELIST',
    ],
    ['lst us', 'USER'],
    ['LST USR', 'USR'],
    ['DSP CALL ', 'ACTIVE CALLID= ID= LIMIT= NUMBER= STAT STATE= WATCH='],
    ['DSP CALL: ', 'ACTIVE CALLID= ID= LIMIT= NUMBER= STATE= WATCH='],
    ['DSP CALL: STATE=con', 'CONNECTED'],
    ['DSP CALL: STATE=CONNECTED, LI', 'LIMIT='],
    ['DSP CALL: STATE=CONNECTED, ST', ''],
    ['DSP CALL STATE=CONNECTED LI', 'LIMIT='],
    ['DSP CDR TOD', 'TODAY'],
    ['MOD USER: USERNAME=10', '1001 1002'],
    ['MOD USER: USERNAME="10', '"1001" "1002"'],
    ['ADD USER: PASSWORD=', ''],
    ['LST USER; DSP VER', 'VERSION'],
    ['LST USER;', VERBS],
    ['NOSUCH THING ', ''],
    ['LST USER: NAME="unclosed ', ''],
    ['HLP: CMD=', ''],
  ];
  for (const [before, expected] of cases) {
    it(`offers after ${JSON.stringify(before)}`, async () => {
      assert.equal(await offered(before), expected);
    });
  }

  it('offers sounds by their names, without reading one', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sounds-'));
    try {
      for (let i = 10; i < 40; i++) writeFileSync(join(directory, `s${i}.wav`), '');
      let read = 0;
      const check = async () => {
        read++;
        return { durationMs: 0 };
      };
      const withFiles = { ...services, sounds: new SoundLibrary(directory, { check }) };
      const { candidates } = await complete(
        registry,
        withFiles,
        { role: 'ADMIN', grants: [] },
        'MOD ANNOUNCE: SOUND=S3',
      );
      assert.deepEqual(
        candidates,
        Array.from({ length: 10 }, (_, i) => `s3${i}.wav`),
      );
      assert.equal(read, 0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('offers a guest only what a guest may do', async () => {
    assert.equal(await offered('', 'GUEST'), 'DSP HLP LGO LST SET TST');
    assert.equal(await offered('LST O', 'GUEST'), '');
  });

  it('offers what command groups give besides the role', async () => {
    const rights = { role: 'GUEST', grants: ['RMV CALL', '* TRACE'] } as const;
    const { candidates } = await complete(registry, services, rights, 'RMV ');
    assert.deepEqual(candidates, ['CALL']);
    assert.ok((await complete(registry, services, rights, 'ST')).candidates.includes('STP'));
  });

  it('replaces what was typed, in the declared spelling', async () => {
    assert.deepEqual(await complete(registry, services, { role: 'ADMIN', grants: [] }, 'dsp vers'), {
      replaced: 'vers',
      candidates: ['VERSION'],
      suffix: ' ',
    });
  });
});

describe('MML help at a point', () => {
  it('explains verbs, objects, parameters and values', () => {
    assert.match(help(''), /LST +show stored configuration/);
    assert.match(help('DSP '), /SYSINFO +Show what runs here/);
    assert.doesNotMatch(help('LST '), /USR/);
    assert.match(help('ADD USER: '), /USERNAME= +.*required/);
    assert.doesNotMatch(help('ADD USER: USERNAME=1, '), /USERNAME=/);
    assert.match(help('ADD USER: STATUS='), /ACTIVE\|INACTIVE\|SUSPENDED[\s\S]*SUSPENDED/);
    assert.match(help('DSP VERSION: '), /Enter runs the command/);
    assert.match(help('BLAH '), /Nothing known/);
    assert.match(helpAt(registry, 'ADD ', 'ZH').join('\n'), /增加用户/);
  });
});
