import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TimelineEvent } from '../../../src/cdr/types.js';
import { SETTINGS } from '../../../src/config/schema.js';
import { allCommands } from '../../../src/mml/commands/all-commands.js';
import { SETTING_MEANINGS } from '../../../src/mml/commands/setting-meanings.js';
import { timelineText } from '../../../src/mml/commands/timeline-text.js';
import type { Line } from '../../../src/mml/registry/command.js';
import { formatCell, jsonCell } from '../../../src/mml/report/cells.js';
import { CALL_STATE_WORDS } from '../../../src/mml/report/words.js';
import { ConsoleCore } from '../../../src/mml/session/console-core.js';
import type { SessionState } from '../../../src/mml/session/session-state.js';
import { text } from '../../../src/mml/text.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { mmlTestServices } from '../../support/mml-services.js';

const READING = new Set(['LST', 'DSP', 'TST', 'CHK']);

/** Columns that read the same in both languages: names and values as they are typed, identifiers, words of protocols. */
const SAME_IN_BOTH = new Set([
  ...[
    'operations.operator',
    'operations.command',
    'operators.name',
    'sessions.operator',
    'operationLog.hash',
  ],
  ...[
    'settings.value',
    'setting.value',
    'setting.meaning',
    'version.product',
    'version.engine',
    'version.relay',
  ],
  ...['version.store', 'system.product', 'system.engine', 'system.relay', 'system.store', 'system.realm'],
  ...[
    'system.listeners',
    'systemConfiguration.engine',
    'systemConfiguration.relay',
    'systemConfiguration.store',
  ],
  ...['systemConfiguration.sip', 'systemConfiguration.realm', 'systemConfiguration.logLevel'],
  ...[
    'systemConfiguration.dataDir',
    'services.detail',
    'licences.name',
    'logLevels.module',
    'logLevels.level',
  ],
  ...[
    'figures.part',
    'figures.name',
    'messages.protocol',
    'messages.message',
    'load.unit',
    'conference.prefix',
  ],
  ...['relays.name', 'relays.url', 'sounds.name', 'announcements.sound', 'dialService.directory'],
  ...[
    'trunks.name',
    'trunk.name',
    'states.name',
    'state.name',
    'trunks.transport',
    'trunk.transport',
    'calls.id',
    'calls.callId',
    'calls.codec',
  ],
]);

const LEG = { leg: 'b1', contact: 'sip:2@192.0.2.8', address: '192.0.2.8', port: 5060, transport: 'udp' };
const EVENTS = [
  { kind: 'received', method: 'INVITE', callerNumber: '1', dialledNumber: '2', ...LEG },
  { kind: 'authenticated', username: '1' },
  { kind: 'originated', by: '1' },
  { kind: 'routed', calleeUri: 'sip:2@ims', direction: 'INTERNAL' },
  { kind: 'picked-up', leg: 'b1', by: '3' },
  { kind: 'transferred', by: '1', to: '3' },
  { kind: 'diverted', by: '1', to: '3', reason: 'no-answer' },
  { kind: 'attempt', ...LEG },
  { kind: 'ringing', leg: 'b1', status: 180 },
  { kind: 'attempt-ended', leg: 'b1', status: 486, reason: 'Busy Here' },
  { kind: 'answered', leg: 'b1' },
  { kind: 'answered', leg: 'b1', userAgent: 'phone' },
  { kind: 'announced', name: 'busy' },
  { kind: 'conference', room: '700' },
  { kind: 'acknowledged' },
  { kind: 'restored', awayMs: 100 },
  { kind: 'reinvite', by: 'CALLER' },
  { kind: 'held', by: 'CALLER' },
  { kind: 'resumed', by: 'CALLER' },
  { kind: 'dtmf', by: 'CALLER', digits: 3 },
  { kind: 'media', streams: [] },
  { kind: 'ended', by: 'CALLER', status: 200, reason: 'OK', result: 'ANSWERED', releaseReason: 'normal' },
  { kind: 'noted', facts: { expires: 60 } },
  { kind: 'message', leg: 'a', sent: true, summary: 'INVITE' },
];

const inChinese = (line: Line): string => (typeof line === 'string' ? line : line.zh);

describe('reports in Chinese', () => {
  let core: ConsoleCore;
  let directory: string;
  let session: SessionState;
  let awake: NodeJS.Timeout;
  const services = mmlTestServices();
  before(async () => {
    // The timers of the server hold up no process; a test that waits for one has to.
    awake = setInterval(() => undefined, 1000);
    directory = await mkdtemp(join(tmpdir(), 'ims-zh-'));
    core = new ConsoleCore({
      services,
      commands: allCommands,
      clock: systemClock,
      log: silentLogger,
      product: { name: 'ims-server', version: '0.1.0' },
      operationLogPath: join(directory, 'oplog'),
      exchangePath: join(directory, 'exchange'),
    });
    session = core.sessions.add(
      { operator: 'admin', role: 'ADMIN', address: '::1', transport: 'local', grants: [] },
      () => undefined,
    );
    session.language = 'ZH';
  });
  after(async () => {
    clearInterval(awake);
    await core.operations.close();
    await rm(directory, { recursive: true, force: true });
  });
  /** Everything that the reading commands print in the columns of their reports, by `report.column`. */
  const cellsOfExamples = async (): Promise<Map<string, Set<string>>> => {
    const cells = new Map<string, Set<string>>();
    for (const command of allCommands) {
      // DSP RELAY asks relays on the network.
      if (!READING.has(command.verb) || command.path === 'DSP RELAY') continue;
      for (const example of command.examples.filter((one) => !/WATCH|FOLLOW/.test(one))) {
        const { sections } = await core.executor.run(example, session);
        for (const section of sections) {
          if (!('report' in section)) {
            if (section.name === 'steps') cells.set('route.steps', new Set(section.lines.map(inChinese)));
            continue;
          }
          for (const column of section.report.columns) {
            const key = `${section.report.name}.${column.key}`;
            const found = cells.get(key) ?? new Set();
            for (const row of section.rows) found.add(formatCell(row[column.key], column, 'ZH'));
            cells.set(key, found);
          }
        }
      }
    }
    return cells;
  };

  it('hold no English but names, values and words of machines', async () => {
    for (const state of Object.keys(CALL_STATE_WORDS)) {
      const call = { id: state, state, callId: `${state}@x`, caller: '1', callee: '2', dialled: '2' };
      services.callMap.set(state, { ...call, startTime: 1, timeline: [] } as never);
    }
    await services.trunks.add('carrier1', { address: '192.0.2.9' });
    const cells = await cellsOfExamples();
    const english = [...cells].flatMap(([key, found]) => {
      const words = [...found].filter((cell) => /[a-z]{2,}/.test(cell.replace(/\d ms$/, '')));
      return words.length > 0 && !SAME_IN_BOTH.has(key) ? [`${key}: ${words.join(' | ')}`] : [];
    });
    assert.deepEqual(english, []);
    assert.ok(cells.get('calls.state')?.has('振铃中'));
    assert.deepEqual(cells.get('route.steps'), new Set([' 1. 主叫 1001 可以呼叫']));
    assert.ok(cells.get('services.detail')?.has('0 个任务进行中'));
  });

  it('explain every setting', () => {
    assert.deepEqual(Object.keys(SETTING_MEANINGS).sort(), Object.keys(SETTINGS).sort());
    for (const [name, meaning] of Object.entries(SETTING_MEANINGS))
      assert.match(meaning, /[\u4e00-\u9fff]/, name);
  });

  it('tell each event of a call in Chinese; JSON has the English', () => {
    for (const event of EVENTS) {
      const { en, zh } = timelineText(event as TimelineEvent);
      assert.match(zh, /[\u4e00-\u9fff]/, en);
      assert.doesNotMatch(en, /[\u4e00-\u9fff]/);
    }
    assert.equal(jsonCell(text('now', '立即'), 'plain'), 'now');
  });
});
