import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allCommands } from '../../../src/mml/commands/all-commands.js';
import { retcodeText } from '../../../src/mml/errors.js';
import { parseCommand } from '../../../src/mml/grammar/command-parser.js';
import type { ReportSpec } from '../../../src/mml/registry/command.js';
import { Registry } from '../../../src/mml/registry/registry.js';
import { formatCell, localTime } from '../../../src/mml/report/cells.js';
import { historyLine } from '../../../src/mml/report/history-line.js';
import { jsonReport } from '../../../src/mml/report/json-report.js';
import { displayWidth } from '../../../src/mml/report/layout.js';
import { maskCommand, maskText } from '../../../src/mml/report/mask.js';
import type { Outcome } from '../../../src/mml/report/outcome.js';
import { textReport } from '../../../src/mml/report/text-report.js';
import { text } from '../../../src/mml/text.js';

const product = { name: 'ims-server', version: '0.1.0' };
const at = new Date(2026, 10, 20, 12, 0, 0).getTime();
const registry = new Registry(allCommands);

const report: ReportSpec = {
  name: 'users',
  title: text('User', '用户'),
  columns: [
    { key: 'username', title: text('User name', '用户名') },
    { key: 'status', title: text('Status', '状态') },
    { key: 'calls', title: text('Calls', '通话') },
    { key: 'since', title: text('Since', '时间'), format: 'time' },
  ],
};

const outcome = (fields: Partial<Outcome> = {}): Outcome => ({
  serial: 12,
  at,
  echo: 'LST USER: USERNAME=1001',
  retcode: 0,
  sentence: retcodeText(0),
  sections: [],
  endSession: false,
  ...fields,
});

describe('MML report frame', () => {
  it('prints one result as name = value lines', () => {
    const rows = [{ username: '1001', status: 'ACTIVE', calls: 2 }];
    assert.deepEqual(textReport(outcome({ sections: [{ report, rows }] }), product, 'EN'), [
      `+++    ims-server/1           ${localTime(at)}`,
      'O&M    #12',
      '%%LST USER: USERNAME=1001;%%',
      'RETCODE = 0  Operation succeeded',
      '',
      'User',
      '----',
      '  User name  =  1001',
      '  Status     =  ACTIVE',
      '  Calls      =  2',
      '  Since      =  -',
      '(Number of results = 1)',
      '',
      '---    END',
    ]);
  });

  it('prints several as a table, wide characters counted, numbers flush right', () => {
    const rows = [
      { username: '李四', status: 'ACTIVE', calls: 2 },
      { username: '1002', status: '-', calls: 11 },
    ];
    const lines = textReport(outcome({ sections: [{ report, rows }] }), product, 'ZH').slice(3);
    assert.deepEqual(lines, [
      'RETCODE = 0  操作成功',
      '',
      '用户',
      '----',
      '  用户名  状态    通话  时间',
      '  李四    ACTIVE     2  -',
      '  1002    -         11  -',
      '(结果个数 = 2)',
      '',
      '---    END',
    ]);
    const table = lines.slice(4, 7).map((line) => displayWidth(line));
    assert.equal(new Set(table).size <= 2, true);
  });

  it('prints the count alone when nothing was found', () => {
    const lines = textReport(outcome({ sections: [{ report, rows: [] }] }), product, 'EN');
    assert.deepEqual(lines.slice(5), ['User', '----', '(Number of results = 0)', '', '---    END']);
  });

  it('prints an error as RETCODE and a sentence', () => {
    const sentence = retcodeText(2002, { names: 'PASSWORD', example: 'X' });
    const lines = textReport(outcome({ retcode: 2002, sentence }), product, 'EN');
    assert.equal(lines[3], 'RETCODE = 2002  Required parameter missing: PASSWORD. Add it, for example X');
    assert.deepEqual(lines.slice(4), ['', '---    END']);
  });

  it('lets no stored text forge a line, an end or an escape sequence', () => {
    const rows = [{ username: 'x\r\n---    END\r\n', status: '\u001b[2J\u009b1m', calls: 1 }];
    const echo = 'LST USER: USERNAME="\u001b]0;x\u0007"';
    const lines = textReport(outcome({ echo, sections: [{ report, rows }] }), product, 'EN');
    assert.equal(lines.filter((line) => line === '---    END').length, 1);
    assert.doesNotMatch(lines.join('\n'), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  it('prints one JSON object on one line', () => {
    const rows = [{ username: 'a\nb', calls: 2, since: Date.UTC(2026, 10, 20) }];
    const line = jsonReport(outcome({ sections: [{ report, rows }] }), 'EN');
    assert.doesNotMatch(line, /\n/);
    assert.deepEqual(JSON.parse(line), {
      serial: 12,
      time: new Date(at).toISOString(),
      command: 'LST USER: USERNAME=1001',
      retcode: 0,
      message: 'Operation succeeded',
      reports: [
        {
          name: 'users',
          title: 'User',
          count: 1,
          rows: [{ username: 'a\nb', calls: 2, since: '2026-11-20T00:00:00.000Z' }],
        },
      ],
    });
  });

  it('prints words of the server in the language of the session, and only those it knows', () => {
    const words = { ringing: text('ringing', '振铃') };
    assert.equal(formatCell('ringing', { words }, 'ZH'), '振铃');
    assert.equal(formatCell('ringing', { words }, 'EN'), 'ringing');
    assert.equal(formatCell('constructor', { words }, 'ZH'), 'constructor');
  });

  it('formats cells', () => {
    assert.equal(formatCell(undefined, { format: 'seconds' }, 'EN'), '-');
    assert.equal(formatCell(0, { format: 'seconds' }, 'EN'), '0 s');
    assert.equal(formatCell(1536, { format: 'bytes' }, 'EN'), '1.5 KiB');
    assert.equal(formatCell(0.1234, { format: 'percent' }, 'EN'), '12.3 %');
    assert.equal(formatCell(true, { format: 'yesno' }, 'ZH'), '是');
    assert.equal(formatCell(0.25, { format: 'bar', width: 12 }, 'EN'), '[###.........]  25.0 %');
    assert.equal(formatCell(7, { format: 'bar', width: 1 }, 'EN'), '[##########] 700.0 %');
    assert.match(formatCell(0.5, { format: 'bar', width: 500 }, 'EN'), /^\[#{30}\.{30}\] /);
    assert.match(localTime(at), /^2026-11-20 12:00:00[+-]\d\d:\d\d$/);
  });
});

describe('MML secrets', () => {
  const masked = (source: string) => {
    const { command, params } = registry.resolve(parseCommand(source));
    return maskCommand(command, params);
  };

  it('masks secret parameters in the echo', () => {
    assert.equal(
      masked('add usr USERNAME=1001 PASSWORD=geheim NAME="a b"'),
      'ADD USER: USERNAME=1001, PASSWORD=******, NAME="a b"',
    );
  });

  it('masks what may be a secret under a wrong name or without quotes', () => {
    assert.equal(
      masked('ADD USER: USERNAME=1001, PASWORD=geheim'),
      'ADD USER: USERNAME=1001, PASWORD=******',
    );
    assert.doesNotMatch(masked('ADD USER USERNAME=1001 PASSWORD=ge heim'), /HEIM/);
  });

  it('masks a command that does not parse from the secret on', () => {
    assert.equal(maskText('ADD USER: PASSWORD="ge heim, NAME=x'), 'ADD USER: PASSWORD=******');
    assert.equal(maskText('FOO pass_word=1 newPwd= x y'), 'FOO pass_word=******');
  });

  it('keeps no secret in the history', () => {
    assert.equal(
      historyLine(registry, 'LST USER: NAME=x; ADD USR USERNAME=1001 PASSWORD=geheim'),
      'LST USER: NAME=x; ADD USER: USERNAME=1001, PASSWORD=',
    );
    assert.doesNotMatch(historyLine(registry, 'ADD USER: PASSWORD="geheim'), /geheim/);
    assert.equal(historyLine(registry, 'lst user'), 'lst user');
  });

  it('masks the value of a secret setting, however its name is written, and of a name that nobody knows', () => {
    for (const key of [
      'ALARM_WEBHOOK_KEY',
      'alarm_webhook_key',
      '"ALARM_WEBHOOK_KEY"',
      '" ALARM_WEBHOOK_KEY "',
      'ALARM_WEBHOOK',
      'STORE_URL',
      'SIP_ENGINE',
      'ADMIN_PASSWORD',
      'ALARM_WEBHOOK_K',
      'ALARM_WEBHOK_KEY',
      'REDIS_URL',
    ])
      for (const command of ['SET CFG', 'mod cfg']) {
        const before = `${command}: KEY=${key}, VALUE=topsecret9, SAVE=NO`;
        for (const source of [before, `${command} VALUE="topsecret9" KEY=${key}`]) {
          assert.match(masked(source), /VALUE=\*{6}/, source);
          assert.doesNotMatch(masked(source), /topsecret9/i, source);
          assert.doesNotMatch(historyLine(registry, source), /topsecret9/i, source);
          assert.doesNotMatch(maskText(`${source}, NAME="`), /topsecret9/i, source);
        }
      }
    assert.equal(masked('SET CFG: KEY=log_level, VALUE=debug'), 'SET CFG: KEY=log_level, VALUE=debug');
    assert.equal(
      historyLine(registry, 'set cfg key=LOG_LEVEL value=debug'),
      'set cfg key=LOG_LEVEL value=debug',
    );
  });

  it('masks the value of a setting that is given by itself, in its name, or behind a wrong word', () => {
    for (const source of [
      'SET CFG: VALUE=topsecret9',
      'SET CFG: KEY=ALARM_WEBHOOK_KEY=topsecret9',
      'SET CFG: ALARM_WEBHOOK_KEY=topsecret9',
      'SET CFG: KYE=ALARM_WEBHOOK_KEY, VALUE=topsecret9',
      'SET CFG: KEY=ALARM_WEBHOOK_KEY, VALU=topsecret9',
      'SET CFG KEY=ALARM_WEBHOOK_KEY VALUE=so topsecret9',
    ])
      assert.doesNotMatch(masked(source), /topsecret9/i, source);
    for (const source of [
      'ST CFG: KEY=ALARM_WEBHOOK_KEY, VALUE=topsecret9',
      'ST CFG: KEY=alarm_webhook_key, VLAUE=topsecret9',
      'SET CFG: KEY=LOG_LEVEL, KEY=ALARM_WEBHOK_KEY, VALUE=topsecret9',
      'SET CFG ALARM_WEBHOOK_KEY "topsecret9',
      'SET CGF: KEY=NO_SUCH, VALUE=topsecret9',
      'SET CFG: KEY=MEDIA_RELAY, VALUE="rtpproxy+udp://x:topsecret9@host:1',
    ])
      for (const shown of [maskText(source), historyLine(registry, source)])
        assert.doesNotMatch(shown, /topsecret9/i, source);
    assert.equal(maskText('SET CFG: KEY=LOG_LEVEL, VALUE="debug'), 'SET CFG: KEY=LOG_LEVEL, VALUE="debug');
  });

  it('masks passwords in URLs, in settings that are not secret and elsewhere', () => {
    const source = 'SET CFG: KEY=MEDIA_RELAY, VALUE=rtpproxy+udp://ims:topsecret9@host:22222';
    assert.equal(masked(source), 'SET CFG: KEY=MEDIA_RELAY, VALUE=******');
    const relay = 'ADD RELAY: NAME=r, URL=rtpproxy+udp://ims:topsecret9@host:22222';
    assert.equal(masked(relay), 'ADD RELAY: NAME=r, URL=rtpproxy+udp://******@host:22222');
    assert.doesNotMatch(historyLine(registry, relay), /topsecret9/);
  });

  it('masks commands inside a value where one of them may hold a secret', () => {
    const inside = (command: string) => masked(`ADD TASK: NAME=t, COMMAND="${command}"`);
    const hidden = 'ADD TASK: NAME=t, COMMAND=******';
    assert.equal(inside('DSP CDR; SET CFG: KEY=ALARM_WEBHOOK_KEY, VALUE=topsecret9'), hidden);
    assert.equal(inside('SET CFG: VALUE=topsecret9, KEY=store_url'), hidden);
    const open = 'SET CFG: KEY=LOG_LEVEL, VALUE=debug; LST CFG: KEY=ALARM_WEBHOOK_KEY';
    assert.equal(inside(open), `ADD TASK: NAME=t, COMMAND="${open}"`);
    assert.doesNotMatch(
      historyLine(registry, `ADD TASK: NAME=t, COMMAND="ADD USER: PASSWORD=topsecret9"`),
      /topsecret9/,
    );
  });

  it('echoes what can be read again', () => {
    for (const source of [
      'LST USER: USERNAME=1001',
      'MOD USER: USERNAME=1, NAME="a \\"b\\" \\\\ c&d"',
      'DSP REG ALL',
      'MOD USER: USERNAME=1, PHONE=""',
    ]) {
      const once = masked(source);
      assert.equal(masked(once), once);
    }
  });
});
