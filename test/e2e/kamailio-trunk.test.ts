import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { startCarrier, type TestCarrier } from '../support/kamailio.js';
import { missing } from '../support/peers.js';
import { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

const PASSWORD = 'carrier secret';

describe('Kamailio as a trunk: we register with it, its challenges are answered', {
  skip: missing('kamailio'),
}, () => {
  let calls: CallServer;
  let carrier: TestCarrier;
  let network: SipPeer;
  let a: SipPeer;
  before(async () => {
    calls = await startCallServer();
    // A telephone in the carrier's network: what it sends goes to Kamailio.
    const port = { address: '127.0.0.1', port: 1 };
    network = await SipPeer.open({ username: '+49301234', server: port, domain: 'carrier.example' });
    carrier = await startCarrier({ password: PASSWORD, networkPort: network.port });
    Object.assign(port, { port: carrier.port });
    a = await calls.phone('1001');
    const commands = [
      `ADD TRUNK: NAME=kamailio, ADDRESS=127.0.0.1:${carrier.port}, DOMAIN=carrier.example, USER=acme, PASSWORD="${PASSWORD}", REGISTER=YES, SOURCES="", OPTIONSSEC=1`,
      'ADD TRANSLATION: TRUNK=kamailio, DIR=OUT, MATCH=0, REPLACE=+49',
      'ADD ROUTE: NAME=out, PREFIX=0, TRUNKS=kamailio',
    ];
    assert.doesNotMatch(await calls.mmlOk(...commands), new RegExp(PASSWORD));
    await waitFor('a registration', async () => /registered/.test(await calls.mml('DSP TRUNK')));
  });
  after(async () => {
    await Promise.all([network?.close(), calls?.close()]);
    await carrier?.close();
  });

  test('a call out is challenged by Kamailio, reaches the network with its route, and its BYE too', async () => {
    const invite = await a.invite('0301234');
    const atNetwork = await network.next('INVITE');
    assert.match(atNetwork.requestUri, /^sip:\+49301234@/);
    assert.equal(atNetwork.has('proxy-authorization'), false);
    assert.match(atNetwork.get('record-route') ?? '', new RegExp(`127\\.0\\.0\\.1:${carrier.port}`));
    network.respond(atNetwork, 180, { headers: { 'Record-Route': atNetwork.get('record-route') ?? '' } });
    await a.response(invite, 180);
    network.respond(atNetwork, 200, {
      sdp: network.sdp(),
      headers: { 'Record-Route': atNetwork.get('record-route') ?? '' },
    });
    const ok = await a.response(invite, 200);
    await network.next('ACK');
    const ended = a.bye(a.ack(invite, ok));
    await network.expectBye();
    assert.equal((await ended).statusCode, 200);
    const [record] = await calls.recordsOf(invite.callId);
    assert.deepEqual(
      [record?.trunkOut, record?.route, record?.direction, record?.result, record?.attempts.length],
      ['kamailio', 'out', 'OUTBOUND', 'ANSWERED', 1],
    );
  });

  test('a call of the network comes to the Contact that we registered, and rings the number in To', async () => {
    const invite = network.request('INVITE', 'sip:acme@carrier.example', 'sip:1001@carrier.example');
    invite.append('Contact', network.contact).set('Content-Type', 'application/sdp');
    invite.body = Buffer.from(network.sdp());
    network.send(invite);
    const atA = await a.next('INVITE');
    assert.match(atA.get('from') ?? '', /<sip:\+49301234@/);
    a.respond(atA, 200, { sdp: a.sdp() });
    const ok = await network.response(invite, 200);
    const dialog = network.ack(invite, ok);
    await a.next('ACK');
    const ended = network.bye(dialog);
    await a.expectBye();
    assert.equal((await ended).statusCode, 200);
    const [record] = await calls.recordsOf(invite.callId);
    assert.deepEqual(
      [record?.trunkIn, record?.direction, record?.callerNumber, record?.calleeNumber],
      ['kamailio', 'INBOUND', '+49301234', '1001'],
    );
  });

  test('the registration is refreshed before Kamailio forgets it, also with nonces that have become old', async () => {
    const expires = async (): Promise<string> =>
      /Registered until +([^\n]*)/.exec(await calls.mml('DSP TRUNK: NAME=kamailio'))?.[1] ?? '';
    const first = await expires();
    await waitFor('two refreshes', async () => (await expires()) > first);
    const second = await expires();
    await waitFor('another', async () => (await expires()) > second);
    assert.match(await calls.mml('DSP TRUNK'), /registered/);
  });

  test('when Kamailio is gone the trunk goes down, which is logged and explained', async () => {
    await carrier.close();
    await waitFor('it to be down', async () => /\bdown\b/.test(await calls.mml('DSP TRUNK')), 20_000);
    assert.match(calls.server.output(), /a trunk went down/);
    assert.doesNotMatch(calls.server.output(), new RegExp(PASSWORD));
    const invite = await a.invite('0301234');
    a.ackRefusal(invite, await a.response(invite, 503));
    const [record] = await calls.recordsOf(invite.callId);
    assert.equal(record?.releaseReason, 'trunks-down');
    assert.match(await calls.mml('TST ROUTE: FROM=1001, TO=0301234'), /trunk kamailio is down .*: skipped/);
  });
});
