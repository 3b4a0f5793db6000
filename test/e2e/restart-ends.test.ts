import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeLine } from '../../src/cdr/journal/journal-line.js';
import { connect, hangUp, mediaPort } from '../support/call-steps.js';
import { journalLines, startKeptCall } from '../support/kept-calls.js';
import { needsBuiltInEngine } from '../support/parts.js';
import type { TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

describe('calls that cannot go on', { skip: needsBuiltInEngine }, () => {
  test('CALL_RESTORE_SEC=0: a stop ends them with BYE, a kill -9 costs them', async (t) => {
    const { calls, a, b } = await startKeptCall({ CALL_RESTORE_SEC: '0' });
    t.after(calls.close);
    const stopped = calls.server.kill('SIGTERM');
    await Promise.all([a.expectBye(), b.expectBye()]);
    await stopped;
    await calls.restart();
    assert.equal((await calls.records(1))[0]?.releaseReason, 'server-shutdown');
    const call = await connect(a, b);
    const callId = call.invite.callId ?? '';
    await waitFor('its record', () => journalLines(calls.server).some((line) => line.includes(callId)));
    await calls.server.kill('SIGKILL');
    await calls.restart();
    const record = (await calls.records(2)).at(-1);
    assert.equal(record?.releaseReason, 'server-crashed');
    assert.equal((await a.bye(call.a)).statusCode, 481);
  });

  test('away for too long: both phones hear BYE, and the record ends when the call was last known alive', async (t) => {
    const { calls, a, b } = await startKeptCall({ CALL_RESTORE_SEC: '1' });
    t.after(calls.close);
    await calls.server.kill('SIGKILL');
    const killed = Date.now();
    await delay(1500);
    await calls.restart();
    await Promise.all([a.expectBye(), b.expectBye()]);
    const [record] = await calls.records(1);
    assert.deepEqual([record?.result, record?.releaseReason], ['ABNORMAL', 'server-crashed']);
    assert.ok((record?.endTime ?? Infinity) <= killed, 'the time away is not of the call');
  });

  test('away for longer than the engine keeps dialogs: no BYE, phones hear 481', async (t) => {
    const { calls, a, b, call } = await startKeptCall({ CALL_RESTORE_SEC: '1' });
    t.after(calls.close);
    await calls.server.kill('SIGKILL');
    const journal = join(calls.server.dataDir, 'dialogs.journal');
    const older = (_: string, beat: string): string => `"beat":${Number(beat) - 11_000}`;
    writeFileSync(journal, readFileSync(journal, 'utf8').replace(/"beat":(\d+)/g, older));
    await delay(1500);
    await calls.restart();
    const [record] = await calls.records(1);
    assert.deepEqual([record?.result, record?.releaseReason], ['ABNORMAL', 'server-crashed']);
    assert.equal((await a.bye(call.a)).statusCode, 481);
    assert.deepEqual([a.has('BYE'), b.has('BYE')], [false, false]);
  });

  test('what was kept is rubbish: the server starts, says so, and the record is closed', async (t) => {
    const { calls, a, b, call } = await startKeptCall();
    t.after(calls.close);
    const { server } = calls;
    await server.kill('SIGKILL');
    const record = openRecordOf(server);
    appendFileSync(
      record.segment,
      encodeLine({ k: 'state', id: record.id, state: { v: 1, a: 'no leg', parties: ['nobody'] } }),
    );
    appendFileSync(join(server.dataDir, 'dialogs.journal'), '{"put":{"v":1,"id":5}}\nrubbish\n{"put":');
    await calls.restart();
    const [closed] = await calls.records(1);
    assert.deepEqual([closed?.result, closed?.releaseReason], ['ABNORMAL', 'server-crashed']);
    assert.match(calls.server.output(), /what was kept cannot be read/);
    assert.match(calls.server.output(), /not all dialogs of the last run are taken over/);
    assert.equal((await a.bye(call.a)).statusCode, 481);
    await hangUp(a, b, await connect(a, b));
    await calls.records(2);
  });

  test('the engine’s dialogs are gone: the call ends, with its record', async (t) => {
    const { calls } = await startKeptCall();
    t.after(calls.close);
    await calls.server.kill('SIGKILL');
    rmSync(join(calls.server.dataDir, 'dialogs.journal'));
    await calls.restart();
    const [record] = await calls.records(1);
    assert.deepEqual([record?.result, record?.releaseReason], ['ABNORMAL', 'dialog-lost']);
  });

  test('another has a media port: the call ends with BYE both ways', async (t) => {
    const { calls, a, b, call } = await startKeptCall();
    t.after(calls.close);
    await calls.server.kill('SIGKILL');
    const thief = createSocket('udp4');
    t.after(() => thief.close());
    await new Promise<void>((resolve) => thief.bind(mediaPort(call.ok)!, resolve));
    await calls.restart();
    await Promise.all([a.expectBye(), b.expectBye()]);
    const [record] = await calls.records(1);
    assert.deepEqual([record?.result, record?.releaseReason], ['ABNORMAL', 'media-failed']);
  });
});

/** The last record that the journal has opened, and the segment that it is in. */
function openRecordOf({ dataDir }: TestServer): { id: string; segment: string } {
  const directory = join(dataDir, 'journal');
  for (const name of readdirSync(directory).sort().reverse()) {
    const segment = join(directory, name);
    const id = [
      ...readFileSync(segment, 'utf8').matchAll(/"k":"open","facts":\{.*?"id":"(\w+)","type":"CALL"/g),
    ].at(-1);
    if (id) return { id: id[1]!, segment };
  }
  throw new Error('no record in the journal');
}
