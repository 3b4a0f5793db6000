import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Phone } from '../../src/testkit/phone.js';
import type { PhoneCall } from '../../src/testkit/phone-call.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { assertWhole, untilKept, untilStateKept } from '../support/kept-calls.js';
import { startEngineProcess, startRelayProcess } from '../support/part-process.js';
import { needsBuiltInEngine } from '../support/parts.js';
import { waitFor } from '../support/wait-for.js';

/** A call with tones both ways; `of` has its two ends. */
interface SpokenCall {
  readonly calls: CallServer;
  readonly of: readonly [caller: PhoneCall, callee: PhoneCall];
  readonly callIds: readonly string[];
  close(): Promise<void>;
}

async function startSpokenCall(env: Record<string, string> = {}): Promise<SpokenCall> {
  const calls = await startCallServer({ DRAIN_SEC: '0', ...env });
  const phones = [await openPhone(calls, '1001', 440), await openPhone(calls, '1002', 1000)] as const;
  const incoming = phones[1].nextIncoming();
  const of = [await phones[0].call('1002'), await incoming] as const;
  const close = async (): Promise<void> => {
    await Promise.all(phones.map((phone) => phone.close()));
    await calls.close();
  };
  return { calls, of, callIds: of.map(({ dialog }) => dialog.callId), close };
}

async function openPhone(calls: CallServer, username: '1001' | '1002', toneHz: number): Promise<Phone> {
  const { address, udpPort: port } = calls.server;
  const options = { username, password: calls.users[username]!, domain: 'ims', address: '127.0.0.1', toneHz };
  const phone = await Phone.open({ ...options, server: { address, port } });
  await phone.register(600);
  return phone;
}

describe('media of calls that are up when the server ends', { skip: needsBuiltInEngine }, () => {
  test('it flows again through the same ports within two seconds of the start', async (t) => {
    const { calls, of, callIds, close } = await startSpokenCall();
    t.after(close);
    const [caller, callee] = of;
    const hears = (): boolean =>
      caller.rtp.counters([1000]).heardHz === 1000 && callee.rtp.counters([440]).heardHz === 440;
    await waitFor('tones', hears);
    await untilKept(calls.server, ...callIds);
    await calls.server.kill('SIGKILL');
    const before = of.map(({ rtp }) => rtp.counters().received);
    await calls.restart();
    const ready = Date.now();
    await waitFor('media of both', () => of.every(({ rtp }, i) => rtp.counters().received > before[i]! + 10));
    assert.ok(Date.now() - ready < 2000, `${Date.now() - ready} ms after the server took calls`);
    assert.equal(await caller.hangUp(), 200);
    assert.equal(await callee.ended, 'there');
    const [record] = await calls.records(1);
    assertWhole(record, 1);
    assert.ok((record.media[0]?.packetsFromA ?? 0) > 0);
  });
});

test('with an engine and a relay of their own media is not interrupted, and a BYE waits for call control', async (t) => {
  const parts = await Promise.all([startEngineProcess(), startRelayProcess()]);
  let up: SpokenCall | undefined;
  t.after(async () => {
    await up?.close();
    await Promise.all(parts.map((part) => part.close()));
  });
  const [engine, relay] = parts;
  up = await startSpokenCall({ SIP_ENGINE: engine.url, MEDIA_RELAY: relay.url });
  const { calls, of, callIds } = up;
  const [caller, callee] = of;
  await waitFor('media', () => callee.rtp.counters().received > 20);
  await untilStateKept(calls.server, ...callIds);
  await calls.server.kill('SIGKILL');
  const before = callee.rtp.counters().received;
  await waitFor('media without a server', () => callee.rtp.counters().received > before + 50);
  const ended = caller.hangUp();
  await calls.restart();
  assert.equal(await ended, 200);
  assert.equal(await callee.ended, 'there');
  const [record] = await calls.records(1);
  assertWhole(record, 1);
  assert.ok((record.media[0]?.packetsFromA ?? 0) > before, 'the figures are of the whole call');
});
