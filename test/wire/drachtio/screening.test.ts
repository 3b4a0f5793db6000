import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { EngineOptions } from '../../../src/engine/engine.js';
import { FrameClient } from '../../support/frame-client.js';
import { headerOf, statusOf } from '../../support/sip-text.js';
import { appResponse, SDP, TextPeer, tagOf } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

const VERBS = ['invite', 'register', 'options', 'message', 'subscribe'];

describe('requests that the engine answers itself', { skip: oursOnly }, () => {
  let engine: WireEngine | undefined;
  let client: FrameClient;
  let peer: TextPeer;
  afterEach(async () => {
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine?.close();
  });

  const start = async (options: Partial<EngineOptions>): Promise<void> => {
    engine = await startWireEngine(options);
    client = await FrameClient.start(engine.target, VERBS);
    peer = await TextPeer.open(engine.udpPort);
  };
  /** Status of the answer to a request that must not get to the application. */
  const screened = async (options: Parameters<TextPeer['request']>[0]): Promise<number | undefined> => {
    peer.request(options);
    const status = statusOf(await peer.udp.inbox.next());
    assert.equal(client.events.size, 0);
    return status;
  };
  const delivered = async (options: Parameters<TextPeer['request']>[0]): Promise<void> => {
    peer.request(options);
    await client.events.next();
  };

  test('18: always-send-180: 180 comes behind 100, in the dialog that the 200 is in', async () => {
    await start({ alwaysSend180: true });
    peer.request({ headers: ['Record-Route: <sip:p1.example;lr>'] });
    assert.equal(statusOf(await peer.udp.inbox.next()), 100);
    const ringing = await peer.udp.inbox.next();
    assert.equal(statusOf(ringing), 180);
    assert.equal(headerOf(ringing, 'Contact'), `<sip:127.0.0.1:${engine!.udpPort}>`);
    assert.equal(headerOf(ringing, 'Record-Route'), '<sip:p1.example;lr>');
    const { fields, sip } = await client.events.next();
    await client.ask(`sip|${fields[8]}|`, appResponse(sip, 200, [], SDP));
    assert.equal(tagOf(headerOf(await peer.next(), 'To')!), tagOf(headerOf(ringing, 'To')!));
  });

  test('18: always-send-180: none where it had to be reliable', async () => {
    await start({ alwaysSend180: true });
    peer.request({ headers: ['Require: 100rel'] });
    const { fields, sip } = await client.events.next();
    await client.ask(`sip|${fields[8]}|`, appResponse(sip, 486));
    assert.equal(statusOf(await peer.next()), 486);
  });

  test('18: spam: parts of User-Agent, From and To, in any case, get 603 whatever the method', async () => {
    await start({
      screen: { spam: { userAgent: ['friendly-scanner', ''], from: ['sipvicious'], to: ['900972'] } },
    });
    for (const method of ['INVITE', 'OPTIONS', 'REGISTER'])
      assert.equal(await screened({ method, headers: ['User-Agent: Friendly-Scanner/1'] }), 603, method);
    const odd = (change: (text: string) => string): void => {
      const write = peer.send.bind(peer);
      peer.send = (text) => write(change(text));
    };
    odd((text) => text.replace(/^From: .*$/m, 'From: "x" <sip:SIPvicious-7@h>;tag=z'));
    assert.equal(await screened({ method: 'OPTIONS' }), 603);
    odd((text) =>
      text.replace(/^From: .*$/m, 'From: <sip:a@h>;tag=z').replace(/^To: .*$/m, 'To: <sip:00900972@h>'),
    );
    assert.equal(await screened({ method: 'MESSAGE' }), 603);
    assert.equal(engine!.stats().core.screened, 5);
  });

  test('18: spam: others pass, an ACK gets no answer', async () => {
    await start({ screen: { spam: { userAgent: ['scanner'] } } });
    peer.request({ method: 'ACK', toTag: 'x', headers: ['User-Agent: scanner'] });
    await delivered({ method: 'OPTIONS', headers: ['User-Agent: phone'] });
    assert.equal(peer.udp.inbox.size, 0);
  });

  test('18: OPTIONS of a load balancer get 200, those of others go to the application', async () => {
    await start({ screen: { optionsAutoRespond: ['balancer/1'] } });
    assert.equal(await screened({ method: 'OPTIONS', headers: ['User-Agent: balancer/1'] }), 200);
    await delivered({ method: 'OPTIONS', headers: ['User-Agent: balancer/2'] });
    await delivered({ method: 'OPTIONS' });
    await delivered({ method: 'MESSAGE', headers: ['User-Agent: balancer/1'] });
  });

  test('RFC 3261 §10.3: a REGISTER with Contacts that make no sense gets 400', async () => {
    await start({});
    const register = (...headers: string[]) => ({ method: 'REGISTER', headers });
    assert.equal(await screened(register('Contact: *', 'Expires: 60')), 400);
    assert.equal(await screened(register('Contact: *, <sip:a@h>', 'Expires: 0')), 400);
    assert.equal(await screened(register('Contact: <sip:a@h')), 400);
    await delivered(register('Contact: *', 'Expires: 0'));
    await delivered(register('Contact: <sip:a@h>', 'Contact: <sip:b@h>;expires=3'));
    await delivered(register());
  });

  test('a REGISTER to an address gets 403 when a domain is wanted', async () => {
    await start({ screen: { registerNeedsDomain: true } });
    const contact = ['Contact: <sip:a@127.0.0.1>'];
    assert.equal(await screened({ method: 'REGISTER', uri: 'sip:127.0.0.1', headers: contact }), 403);
    await delivered({ method: 'REGISTER', uri: 'sip:example.com', headers: contact });
  });

  test('what blocked sources send is dropped unread, be it SIP or not; addresses that are none are an error', async () => {
    for (const blocked of ['127.0.0.1', '127.0.0.0/8']) {
      await start({ blockedSources: ['192.0.2.1', blocked, '2001:db8::/32'] });
      peer.request({ method: 'OPTIONS' });
      peer.send('OPTIONS sip:x SIP/3.0\r\n\r\n');
      await waitFor('both to be dropped', () => engine!.stats().transport.blockedDropped === 2);
      assert.equal(engine!.stats().transport.parseErrors, 0);
      await assert.rejects(peer.next(100));
      assert.equal(client.events.size, 0);
      await engine!.close();
    }
    for (const wrong of ['example.com', '127.0.0.1/33', '1.2.3.4/8/9', ''])
      await assert.rejects(
        startWireEngine({ blockedSources: [wrong] }),
        { code: 'ENGINE_BLOCKED_SOURCE' },
        wrong,
      );
  });

  test('20: no Call-ID gets 400, a Via that cannot be read silence', async () => {
    await start({});
    const write = peer.send.bind(peer);
    peer.send = (text) => write(text.replace(/^Call-ID: .*\r\n/m, ''));
    assert.equal(await screened({ method: 'OPTIONS' }), 400);
    for (const via of [
      'SIP/2.0 127.0.0.1;branch=z9hG4bKa',
      'SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKa',
      'nonsense',
    ]) {
      peer.send = (text) => write(text.replace(/^Via: .*$/m, `Via: ${via}`));
      peer.request({ method: 'OPTIONS' });
    }
    peer.send = write;
    await delivered({ method: 'OPTIONS', callId: 'last' });
    assert.equal(peer.udp.inbox.size, 0);
  });
});
