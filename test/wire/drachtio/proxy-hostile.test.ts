import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { silentLogger } from '../../../src/platform/logger.js';
import { seeded } from '../../fixtures/sip/random.js';
import { disconnectApps } from '../../support/b2bua-app.js';
import { FrameClient } from '../../support/frame-client.js';
import { mutate } from '../../support/mutate.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headersOf, responseText, statusOf } from '../../support/sip-text.js';
import { TextPeer } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

const VERBS = [
  'invite',
  'register',
  'options',
  'message',
  'subscribe',
  'info',
  'notify',
  'publish',
  'bye',
  'ack',
];
const MESSAGES = 500;

describe('a proxy among peers that send rubbish', { skip: oursOnly }, () => {
  const faults: unknown[] = [];
  let engine: WireEngine;
  before(async () => {
    const log = { ...silentLogger, error: (...args: unknown[]) => void faults.push(args) };
    engine = await startWireEngine({
      timers: { ...FAST_TIMERS, t1Ms: 5, t2Ms: 40, t4Ms: 50, timerCMs: 400 },
      log,
    });
  });
  after(() => engine.close());
  afterEach(async () => {
    disconnectApps();
    await FrameClient.closeAll();
    await TextPeer.closeAll();
  });

  test('mutated requests and responses: no fault, nothing left behind, and the next call goes through', async () => {
    const random = seeded(20);
    const client = await FrameClient.start(engine.target, VERBS);
    const caller = await TextPeer.open(engine.udpPort);
    const callee = await TextPeer.open(engine.udpPort);
    let isDone = false;
    const proxied = (async () => {
      for (;;) {
        const frame = await client.events.next(60_000).catch(() => undefined);
        if (!frame || isDone) return;
        const flags =
          random() < 0.5 ? 'remainInDialog||followRedirects|simultaneous' : '|fullResponse||serial';
        client.send(
          `proxy|${frame.fields[8]}|${flags}|20ms|60ms|sip:127.0.0.1:${callee.port}|sip:127.0.0.1:${callee.port};x=y`,
          'INVITE sip:x SIP/2.0\r\nX-Added: 1\r\n\r\n',
        );
      }
    })();
    let answered = 0;
    callee.udp.onMessage = (text) => {
      if (text.startsWith('SIP/2.0') || text.startsWith('ACK')) return;
      const status = [100, 180, 200, 200, 302, 401, 404, 486, 503, 603][Math.floor(random() * 10)]!;
      const routes = headersOf(text, 'Record-Route').map((value) => `Record-Route: ${value}`);
      const response = responseText(text, status, {
        headers: [...routes, `Contact: <sip:127.0.0.1:${callee.port}>`],
      });
      callee.udp.send(
        random() < 0.5 ? response : mutate(Buffer.from(response, 'latin1'), random),
        engine.udpPort,
      );
      answered++;
    };
    const routes: string[] = [];
    caller.udp.onMessage = (text) => {
      routes.push(...headersOf(text, 'Record-Route').map((value) => `Route: ${value}`));
    };
    for (let i = 0; i < MESSAGES; i++) {
      const inDialog = routes.length > 0 && random() < 0.4;
      const method = ['INVITE', 'BYE', 'ACK', 'CANCEL', 'OPTIONS', 'REGISTER', 'INFO'][
        Math.floor(random() * 7)
      ]!;
      const text = Buffer.from(
        caller.request({
          method: random() < 0.5 ? 'INVITE' : method,
          headers: [
            ...(inDialog ? [routes[Math.floor(random() * routes.length)]!] : []),
            'Max-Breadth: 3',
            'Record-Route: <sip:192.0.2.1;lr>',
          ],
          ...(inDialog ? { toTag: 'b1' } : {}),
        }),
        'latin1',
      );
      for (let j = 0; j < 2; j++) caller.udp.send(mutate(text, random), engine.udpPort);
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await waitFor('the end of all that was proxied', () => engine.stats().proxiedRequests === 0, 20_000);
    isDone = true;
    assert.ok(answered > MESSAGES / 2, `${answered} requests went through`);
    assert.deepEqual(faults, []);
    const probe = await TextPeer.open(engine.udpPort);
    callee.udp.onMessage = (text) => {
      if (text.startsWith('INVITE')) callee.udp.send(responseText(text, 486), engine.udpPort);
    };
    isDone = false;
    probe.request();
    assert.equal(statusOf(await probe.until(/^SIP\/2\.0 [2-6]/)), 486);
    await client.close();
    isDone = true;
    void proxied;
  });
});
