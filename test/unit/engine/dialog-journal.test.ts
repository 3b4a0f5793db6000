import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { startEngine } from '../../../src/engine/engine.js';
import { DialogJournal } from '../../../src/engine/survival/dialog-journal.js';
import type { SavedDialog } from '../../../src/engine/survival/saved-dialog.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { waitFor } from '../../support/wait-for.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ims-dialogs-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const path = (): string => join(directory, 'dialogs.journal');

function dialog(id: string, localSeq = 1, padding = '') {
  const saved: SavedDialog = {
    v: 1,
    id,
    tags: ['calls'],
    role: 'uac',
    callId: id,
    localTag: 'here',
    localAddress: '<sip:a@h>;tag=here',
    localSeq,
    peer: { tag: 'there', address: '<sip:b@h>;tag=there', target: 'sip:b@192.0.2.1', routeSet: [] },
    contact: `<sip:us@192.0.2.9>${padding}`,
    takesUpdate: false,
  };
  return { wireId: id, save: (): SavedDialog | undefined => saved };
}

async function open(maxAwayMs = 60_000): Promise<{ journal: DialogJournal; left: string[] }> {
  const { journal, left } = await DialogJournal.open({ directory, maxAwayMs }, systemClock, silentLogger);
  journal.begin(left.map((saved) => ({ wireId: saved.id, save: () => saved })));
  return { journal, left: left.map(({ id, localSeq }) => `${id} ${localSeq}`) };
}

/** What the file says of the time of the last run, that long ago. */
function age(byMs: number): string {
  const text = readFileSync(path(), 'utf8').replace(/"beat":\d+/g, `"beat":${Date.now() - byMs}`);
  writeFileSync(path(), text);
  return text;
}

test('what was confirmed and is not over is there for the next one, as it was last', async () => {
  const { journal } = await open();
  journal.changed(dialog('one'));
  journal.changed(dialog('two'));
  await journal.flushNow();
  assert.match(readFileSync(path(), 'utf8'), /"two"/);
  journal.changed(dialog('one', 7));
  journal.ended(dialog('two'));
  await journal.close();
  const next = await open();
  assert.deepEqual(next.left, ['one 7']);
  await next.journal.close();
  // A third one finds what the second did not touch.
  const third = await open();
  assert.deepEqual(third.left, ['one 7']);
  await third.journal.close();
});

test('a dialog that came and went within the time of one write is never written', async () => {
  const { journal } = await open();
  journal.changed(dialog('brief'));
  journal.ended(dialog('brief'));
  await journal.close();
  assert.doesNotMatch(readFileSync(path(), 'utf8'), /brief/);
});

test('a torn line, rubbish and another version cost themselves alone', async () => {
  const { journal } = await open();
  journal.changed(dialog('good'));
  await journal.close();
  const other = JSON.stringify({ put: { ...dialog('other').save(), v: 2 } });
  appendFileSync(path(), `rubbish\n${other}\n{"put":{"v":1,"id":"to`);
  const next = await open();
  assert.deepEqual(next.left, ['good 1']);
  assert.equal(next.journal.counters.unreadable, 3);
  await next.journal.close();
});

test('dialogs of an engine that was away for too long are forgotten, and its last beat may be ten seconds old', async () => {
  const { journal } = await open(60_000);
  journal.changed(dialog('old'));
  await journal.close();
  age(65_000);
  const soon = await open(60_000);
  assert.deepEqual(soon.left, ['old 1']);
  await soon.journal.close();
  age(75_000);
  const next = await open(60_000);
  assert.deepEqual(next.left, []);
  await next.journal.close();
});

test('a start that comes to nothing does not count as having been there', async () => {
  const { journal } = await open();
  journal.changed(dialog('old'));
  await journal.close();
  const text = age(120_000);
  const failed = await DialogJournal.open({ directory, maxAwayMs: 600_000 }, systemClock, silentLogger);
  assert.equal(failed.left.length, 1);
  await failed.journal.close();
  assert.equal(readFileSync(path(), 'utf8'), text);
});

test('neither does one whose admin port is taken', async () => {
  const { journal } = await open();
  journal.changed(dialog('old'));
  await journal.close();
  const text = age(120_000);
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const options = {
    sipListen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
    admin: { port, secret: 'cymru' },
    dialogJournal: { directory, maxAwayMs: 600_000 },
  } as const;
  await assert.rejects(startEngine(options), { code: 'EADDRINUSE' });
  other.close();
  assert.equal(readFileSync(path(), 'utf8'), text);
});

test('what a failed write had is written by the next that succeeds, whichever that is', async () => {
  const { journal } = await open();
  journal.changed(dialog('kept'));
  journal.changed(dialog('gone'));
  await journal.close();
  const second = await open();
  await second.journal.flushNow();
  // It has no file open now: one is opened for what comes next.
  rmSync(path());
  mkdirSync(path());
  second.journal.changed(dialog('lost'));
  second.journal.ended(dialog('gone'));
  await second.journal.flushNow();
  assert.equal(second.journal.counters.failures, 1);
  rmdirSync(path());
  second.journal.changed(dialog('next'));
  await second.journal.flushNow();
  const third = await open();
  assert.deepEqual(third.left.sort(), ['kept 1', 'lost 1', 'next 1']);
  await third.journal.close();
  await second.journal.close();
});

test('the file is written anew before it grows without end', async () => {
  const { journal } = await open();
  const padding = `;x=${'y'.repeat(4000)}`;
  let most = 0;
  for (let seq = 1; seq <= 3000; seq++) {
    journal.changed(dialog(`d${seq % 5}`, seq, padding));
    if (seq % 5 === 0) await journal.flushNow();
    if (seq % 100 === 0) most = Math.max(most, statSync(path()).size);
  }
  await journal.close();
  assert.ok(most < 5 * 1024 * 1024, `${most} bytes for five dialogs, ${3000 * 4300} written`);
  const next = await open();
  assert.equal(next.left.length, 5);
  await next.journal.close();
});

test('a directory that takes no file costs nothing else, and is tried again', async () => {
  writeFileSync(join(directory, 'file'), '');
  const nowhere = { directory: join(directory, 'file', 'below'), maxAwayMs: 1000 };
  const { journal, left } = await DialogJournal.open(nowhere, systemClock, silentLogger);
  assert.deepEqual(left, []);
  journal.begin([]);
  journal.changed(dialog('one'));
  await waitFor('a failure', () => journal.counters.failures > 0);
  await journal.close();
});
