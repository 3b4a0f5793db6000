import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { connectApp, disconnectApps, type Srf } from '../../support/b2bua-app.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, statusOf } from '../../support/sip-text.js';
import { SDP, TextPeer } from '../../support/text-peer.js';
import { startWireEngine, type WireEngine } from '../../support/wire-engine.js';

/** All values of a header field, one a line. */
function valuesOf(message: string, name: string): string[] {
  return [...message.matchAll(new RegExp(`^${name}: *(.*)\\r$`, 'gim'))].map((match) => match[1]!);
}

describe('proxying for applications', () => {
  let engine: WireEngine;
  let srf: Srf;
  let caller: TextPeer;
  let callee: TextPeer;
  before(async () => {
    engine = await startWireEngine({ timers: FAST_TIMERS });
  });
  after(() => engine.close());
  afterEach(async () => {
    disconnectApps();
    await TextPeer.closeAll();
  });

  /** An application that proxies each INVITE; resolves with what srf says of the first. */
  const startProxy = async (
    targets: readonly (TextPeer | string)[],
    options: object = {},
    method = 'invite',
  ): Promise<{ first: Promise<Srf> }> => {
    srf = await connectApp(engine.target);
    const destinations = targets.map((target) =>
      typeof target === 'string' ? target : `sip:127.0.0.1:${target.port}`,
    );
    const first = new Promise<Srf>((resolve, reject) => {
      srf[method]((req: Srf) => {
        srf.proxyRequest(req, [...destinations], { ...options }).then(resolve, reject);
      });
    });
    first.catch(() => {});
    // Its answer comes behind that to the route.
    await new Promise((resolve) =>
      srf.request(`sip:127.0.0.1:${engine.udpPort}`, { method: 'OPTIONS' }, resolve),
    );
    return { first };
  };

  test('69: an INVITE goes to one destination, its responses come back', async () => {
    caller = await TextPeer.open(engine.udpPort);
    callee = await TextPeer.open(engine.udpPort);
    const results = (await startProxy([callee])).first;
    const invite = caller.request({ headers: ['X-Asked: yes'], body: SDP });
    assert.equal(statusOf(await caller.udp.inbox.next()), 100);
    const copy = await callee.until(/^INVITE/);
    assert.deepEqual(valuesOf(copy, 'Via').length, 2);
    assert.equal(headerOf(copy, 'Max-Forwards'), '69');
    assert.equal(headerOf(copy, 'Record-Route'), undefined);
    assert.equal(headerOf(copy, 'X-Asked'), 'yes');
    assert.equal(headerOf(copy, 'Call-ID'), headerOf(invite, 'Call-ID'));
    assert.ok(copy.endsWith(SDP));
    callee.respond(copy, 180);
    assert.equal(statusOf(await caller.next()), 180);
    callee.respond(copy, 200);
    const ok = await caller.next();
    assert.equal(statusOf(ok), 200);
    assert.equal(valuesOf(ok, 'Via').length, 1);
    const { connected, finalStatus, responses } = await results;
    assert.equal(connected, true);
    assert.equal(finalStatus, 200);
    assert.equal(responses[0].port, callee.port);
  });
});
