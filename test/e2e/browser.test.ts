import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BrowserPhone } from '../support/browser-phone.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { missing } from '../support/peers.js';
import type { SipPeer } from '../support/sip-peer.js';

const otherEngine =
  (process.env['SIP_ENGINE'] ?? 'embedded') === 'embedded' ? false : 'listeners of the built-in engine';

describe('a phone in a browser', { skip: otherEngine || missing('chromium') }, () => {
  let calls: CallServer;
  let caller: SipPeer;
  const pages: BrowserPhone[] = [];

  before(async () => {
    const page = await BrowserPhone.serve();
    const secure = await BrowserPhone.serve();
    pages.push(page, secure);
    calls = await startCallServer({
      SIP_LISTEN: 'udp:127.0.0.1:0,ws:127.0.0.1:0,wss:127.0.0.1:0',
      SIP_WS_ORIGINS: `${page.origin},${secure.origin}`,
    });
    caller = await calls.phone('1001');
  });
  after(async () => {
    await calls?.close();
    await Promise.all(pages.map((page) => page.close()));
  });

  for (const [at, transport, username] of [
    [0, 'ws', '1002'],
    [1, 'wss', '1003'],
  ] as const)
    test(`RFC 7118 §4.1: registers by ${transport} with digest, is called and hung up on, keeps alive`, async () => {
      const page = pages[at]!;
      const url = `${transport}://127.0.0.1:${calls.server.sipPort(transport)}/`;
      page.open({ url, username, password: `${username}-secret` });
      assert.equal(await page.until(/^(open|closed)/), 'open sip');
      await page.until(/^string SIP\/2\.0 401/);
      await page.until(/^string SIP\/2\.0 200/);
      assert.match(await calls.server.mml('DSP REG'), new RegExp(`${username}[^]*invalid`));
      await page.until(/^pong/);
      const invite = await caller.invite(username);
      await caller.response(invite, 180);
      const ok = await caller.response(invite, 200);
      await page.until(/^string INVITE sip:/);
      const dialog = caller.ack(invite, ok);
      await page.until(/^string ACK sip:/);
      const ended = caller.bye(dialog);
      await page.until(/^string BYE sip:/);
      assert.equal((await ended).statusCode, 200);
      const [record] = await calls.recordsOf(invite.callId);
      assert.deepEqual([record?.result, record?.calleeNumber], ['ANSWERED', username]);
    });

  test('RFC 6455 §10.2: a page of another origin may not connect', async () => {
    const page = await BrowserPhone.serve();
    pages.push(page);
    const url = `ws://127.0.0.1:${calls.server.sipPort('ws')}/`;
    page.open({ url, username: '1004', password: '1004-secret' });
    assert.equal(await page.until(/^(open|closed)/), 'closed 1006');
  });
});
