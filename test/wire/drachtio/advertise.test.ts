import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Engine, startEngine } from '../../../src/engine/engine.js';
import { FrameClient } from '../../support/frame-client.js';
import { RawUdp } from '../../support/raw-sockets.js';
import { headerOf, requestText, responseText } from '../../support/sip-text.js';
import { appRequest, appResponse, SDP } from '../../support/text-peer.js';
import { oursOnly } from '../../support/wire-engine.js';

describe('each peer is told the address that it can reach', { skip: oursOnly }, () => {
  let engine: Engine;
  let client: FrameClient;
  before(async () => {
    engine = await startEngine({
      sipListen: [
        { protocol: 'udp', address: '0.0.0.0', port: 0 },
        { protocol: 'tcp', address: '127.0.0.1', port: 0 },
        { protocol: 'udp', address: '::1', port: 0 },
      ],
      admin: { port: 0, secret: 'cymru' },
      advertise: [
        { network: '127.0.0.2/32', address: '192.0.2.2' },
        { network: '127.0.0.0/8', address: '192.0.2.1' },
        { network: '::/0', address: '2001:db8::1' },
      ],
    });
    client = await FrameClient.start({ host: '127.0.0.1', port: engine.adminPort, secret: 'cymru' });
  });
  after(async () => {
    await FrameClient.closeAll();
    await engine.close();
  });

  for (const [address, told] of [
    ['127.0.0.1', '192.0.2.1'],
    ['127.0.0.2', '192.0.2.2'],
    ['::1', '[2001:db8::1]'],
  ] as const)
    test(`4, 38: RFC 3261 §18.1.1: ${address} is told ${told} in Via and Contact, by requests and responses`, async () => {
      const at = address.includes(':') ? 2 : 0;
      const { port } = engine.listeners[at]!;
      const phone = await RawUdp.open(address);
      const text = address.includes(':') ? `[${address}]` : address;
      await client.ask('sip||', appRequest('INVITE', `sip:bob@${text}:${phone.port}`, [], SDP));
      const invite = await phone.inbox.next();
      assert.ok(headerOf(invite, 'Via')?.startsWith(`SIP/2.0/UDP ${told}:${port};`));
      assert.equal(headerOf(invite, 'Contact'), `<sip:${told}:${port}>`);
      phone.send(responseText(invite, 486), port, address);
      assert.match((await client.events.next()).sip, /^SIP\/2\.0 486/);
      await client.ask('route|invite');
      const via = `SIP/2.0/UDP ${text}:${phone.port}`;
      phone.send(
        requestText({ method: 'INVITE', via, headers: [`Contact: <sip:a@${text}>`] }),
        port,
        address,
      );
      const { fields, sip } = await client.events.next();
      await client.ask(`sip|${fields[8]}|`, appResponse(sip, 200, [], SDP));
      let answer = await phone.inbox.next();
      while (!answer.startsWith('SIP/2.0 200')) answer = await phone.inbox.next();
      assert.equal(headerOf(answer, 'Contact'), `<sip:${told}:${port}>`);
      await client.ask('remove_route|invite');
      await phone.close();
    });

  test('3: applications are told what the widest network is told, and what is bound', async () => {
    const asking = await FrameClient.open(engine.adminPort, '127.0.0.1');
    const { fields } = await asking.ask('authenticate|cymru|');
    const [udp4, tcp, udp6] = engine.listeners.map(({ port }) => port);
    const listed = (host4: string, host4Tcp: string, host6: string): string =>
      `udp/${host4}:${udp4},tcp/${host4Tcp}:${tcp},udp/${host6}:${udp6}`;
    assert.equal(fields[4], listed('192.0.2.1', '192.0.2.1', '[2001:db8::1]'));
    assert.equal(fields[6], listed('0.0.0.0', '127.0.0.1', '[::1]'));
  });
});
