import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Advertiser } from '../../../src/engine/advertise.js';
import type { Application } from '../../../src/engine/core/application.js';
import type { CoreContext } from '../../../src/engine/core/core-context.js';
import { createCoreCounters } from '../../../src/engine/core/core-counters.js';
import { CoreDialog } from '../../../src/engine/core/core-dialog.js';
import { Dialog } from '../../../src/engine/dialog/dialog.js';
import { OwnAddresses } from '../../../src/engine/own-addresses.js';
import type { Hop, Source } from '../../../src/engine/types.js';
import { SipRequest, SipResponse } from '../../../src/sip/message.js';
import { parseUri } from '../../../src/sip/uri.js';

const own = new OwnAddresses([], ['127.0.0.1', '192.0.2.10'], new Advertiser([], undefined));
const PEER = '198.51.100.7';

/** Where a request to a caller goes whose INVITE came from `from` and leads to `uri` by Record-Route. */
async function nextHop(from: string, uri: string): Promise<{ hop: string; refused: number }> {
  const counters = createCoreCounters();
  const names = new Map([['inside.example', '127.0.0.1']]);
  const ctx = {
    counters,
    nearness: (address: string) => own.nearness(address),
    resolve: (text: string): Hop | Promise<Hop> => {
      const { host, port = 5060, params } = parseUri(text)!;
      const protocol = (params.get('transport') ?? 'udp') as Hop['protocol'];
      const named = names.get(host);
      if (host === 'mixed.example')
        return Promise.resolve({
          protocol,
          address: '127.0.0.1',
          port,
          name: host,
          alternatives: ['203.0.113.5', '127.0.0.1', PEER].map((address) => ({ protocol, address, port })),
        });
      return named === undefined
        ? { protocol, address: host.replace(/^\[|\]$/g, ''), port }
        : Promise.resolve({ protocol, address: named, port });
    },
  } as unknown as CoreContext;
  const invite = new SipRequest('INVITE', 'sip:1002@192.0.2.10');
  invite.append('From', '<sip:1001@ims>;tag=a').append('To', '<sip:1002@ims>').append('Call-ID', 'c');
  invite
    .append('CSeq', '1 INVITE')
    .append('Contact', `<sip:1001@${PEER}>`)
    .append('Record-Route', `<${uri}>`);
  const source: Source = {
    protocol: 'udp',
    address: from,
    port: 5070,
    localAddress: '192.0.2.10',
    localPort: 5060,
  };
  const dialog = new CoreDialog(Dialog.asUas(invite, 'b', 'x'), 'invite', 'id', {} as Application);
  dialog.followRequest(invite, source, true);
  const { protocol, address, port, alternatives = [] } = (await dialog.nextHop(ctx))!;
  if (alternatives.length > 0)
    return {
      hop: [address, ...alternatives.map((alternative) => alternative.address)].join(' '),
      refused: counters.hopsRefused,
    };
  return { hop: `${protocol}:${address}:${port}`, refused: counters.hopsRefused };
}

const back = { hop: `udp:${PEER}:5070`, refused: 1 };

test('RFC 3261 §26.1.5: a route of a peer from elsewhere never leads to what else listens on this machine', async () => {
  for (const uri of [
    'sip:127.0.0.1:6379;transport=tcp;lr',
    'sip:127.8.8.8:6379;transport=tcp;lr',
    'sip:[::1]:9022;transport=tcp;lr',
    'sip:192.0.2.10:2323;transport=tcp;lr',
    'sip:inside.example:6379;transport=tcp;lr',
  ]) {
    assert.deepEqual(await nextHop(PEER, uri), back, uri);
  }
});

test('of several targets of a name those on this machine are left out, and the one the dialog is with comes first', async () => {
  assert.equal((await nextHop(PEER, 'sip:mixed.example:5080;lr')).hop, `203.0.113.5 ${PEER}`);
  assert.equal((await nextHop(PEER, 'sip:mixed.example:5070;lr')).hop, `${PEER} 203.0.113.5`);
});

test('RFC 3261 §8.1.2, §12.2.1.1: routes elsewhere are followed, and those of a proxy on this machine', async () => {
  const away = 'sip:203.0.113.5:5080;transport=tcp;lr';
  assert.deepEqual(await nextHop(PEER, away), { hop: 'tcp:203.0.113.5:5080', refused: 0 });
  const proxy = 'sip:127.0.0.1:5080;lr';
  assert.deepEqual(await nextHop('127.0.0.1', proxy), { hop: 'udp:127.0.0.1:5080', refused: 0 });
  assert.deepEqual(await nextHop('192.0.2.10', proxy), { hop: 'udp:192.0.2.10:5070', refused: 1 });
});

/** Where requests go to a callee whose Contact names port 5060, by where we sent the INVITE and where its 2xx came from. */
function overrideOf(sentTo: string, from: string): string | undefined {
  const [address = '', port = ''] = from.split(':');
  const [sentAddress = '', sentPort = ''] = sentTo.split(':');
  const ok = new SipResponse(200, 'OK').append('Contact', `<sip:1002@${PEER}:5060>`);
  ok.append('To', '<sip:1002@ims>;tag=b');
  const invite = new SipRequest('INVITE', `sip:1002@${PEER}`).append('From', '<sip:1001@ims>;tag=a');
  invite.append('To', '<sip:1002@ims>').append('Call-ID', 'c').append('CSeq', '1 INVITE');
  const dialog = new CoreDialog(Dialog.asUac(invite), 'invite', 'id', {} as Application);
  dialog.dialog.confirm(ok);
  const source: Source = {
    protocol: 'udp',
    address,
    port: Number(port),
    localAddress: '192.0.2.10',
    localPort: 5060,
  };
  const hop: Hop = { protocol: 'udp', address: sentAddress, port: Number(sentPort) };
  dialog.followResponse(ok, source, hop, true);
  return dialog.override && `${dialog.override.address}:${dialog.override.port}`;
}

test('a callee behind a NAT is reached where its 2xx came from, if only the port is another, too', () => {
  assert.equal(overrideOf(`${PEER}:40000`, `${PEER}:40000`), `${PEER}:40000`);
  assert.equal(overrideOf('203.0.113.5:40000', '203.0.113.5:40000'), '203.0.113.5:40000');
  // Contact can be reached, or the peer only sends from elsewhere.
  assert.equal(overrideOf(`${PEER}:5060`, `${PEER}:5060`), undefined);
  assert.equal(overrideOf(`${PEER}:5060`, `${PEER}:41234`), undefined);
});
