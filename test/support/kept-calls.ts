import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallRecord } from '../../src/cdr/types.js';
import { type CallServer, startCallServer } from './call-server.js';
import { connect, type UpCall } from './call-steps.js';
import type { TestServer } from './server.js';
import type { SipPeer } from './sip-peer.js';
import { waitFor } from './wait-for.js';

/** A server with two phones in a call that a restart takes over. */
export interface KeptCall {
  readonly calls: CallServer;
  readonly a: SipPeer;
  readonly b: SipPeer;
  readonly call: UpCall;
}

/** Starts it; the caller closes `calls`. With CALL_RESTORE_SEC=0 the call is up and not kept. */
export async function startKeptCall(env: Record<string, string> = {}): Promise<KeptCall> {
  const calls = await startCallServer({ DRAIN_SEC: '0', ...env });
  try {
    const [a, b] = [await calls.phone('1001'), await calls.phone('1002')];
    const call = await connect(a, b);
    if (env['CALL_RESTORE_SEC'] !== '0')
      await untilKept(calls.server, call.invite.callId ?? '', call.atB.callId ?? '');
    return { calls, a, b, call };
  } catch (error) {
    await calls.close();
    throw error;
  }
}

/** Waits until all that a restart needs of a call is on disk, by the Call-IDs of its legs: a tenth of a second on an idle machine. */
export async function untilKept(server: TestServer, ...callIds: string[]): Promise<void> {
  await untilStateKept(server, ...callIds);
  await waitFor('the dialogs to be kept', () => {
    const dialogs = readFileSync(join(server.dataDir, 'dialogs.journal'), 'utf8');
    return callIds.every((callId) => dialogs.includes(callId));
  });
}

/** The same where the engine is a process of its own and keeps its dialogs itself. */
export function untilStateKept(server: TestServer, ...parts: string[]): Promise<void> {
  return waitFor('the call to be kept', () =>
    journalLines(server).some((line) => ['"k":"state"', ...parts].every((part) => line.includes(part))),
  );
}

/** Lines of the journal of records. */
export function journalLines({ dataDir }: TestServer): string[] {
  const directory = join(dataDir, 'journal');
  return readdirSync(directory).flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'));
}

/** The server dies or is stopped, and comes back; these phones are asked whether they are still there. */
export async function comeBack(
  calls: CallServer,
  signal: NodeJS.Signals,
  ...phones: SipPeer[]
): Promise<void> {
  await calls.server.kill(signal);
  await calls.restart();
  for (const phone of phones) phone.respond(await phone.next('OPTIONS'), 200);
}

/** The record is that of one answered call from 1001 to 1002, the restarts included. */
export function assertWhole(record: CallRecord | undefined, restarts: number): asserts record is CallRecord {
  assert.ok(record);
  assert.deepEqual([record.result, record.releaseReason], ['ANSWERED', 'normal-clearing']);
  assert.equal(record.extra?.['restarts'], String(restarts));
  const { answerTime = 0, endTime, billSec, durationMs } = record;
  assert.equal(billSec, Math.ceil((endTime - answerTime) / 1000), `${endTime - answerTime} ms`);
  assert.ok(durationMs >= endTime - answerTime);
  assert.deepEqual([record.callerNumber, record.calleeNumber], ['1001', '1002']);
}
