// Faults that users of the old server knew, one block each (docs/old-server.md): what was not understood.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp, mediaPort, type UpCall } from '../support/call-steps.js';
import { needsBuiltInEngine } from '../support/parts.js';
import { RawUdp } from '../support/raw-sockets.js';
import type { SipPeer } from '../support/sip-peer.js';

/** RFC 3261 §7.3.3 and §20. */
const COMPACT: readonly (readonly [string, string])[] = [
  ['Via', 'v'],
  ['From', 'f'],
  ['To', 't'],
  ['Call-ID', 'i'],
  ['Contact', 'm'],
  ['Content-Type', 'c'],
  ['Content-Length', 'l'],
  ['Supported', 'k'],
];

/** The message with each header name in its compact form. */
function compact(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  const head = COMPACT.reduce(
    (so, [name, short]) => so.replace(new RegExp(`^${name}:`, 'gim'), `${short}:`),
    text.slice(0, end),
  );
  return head + text.slice(end);
}

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

describe('fault 6: compact headers, lists, IPv6, sips:, tel: and TCP were not understood', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    const listen = 'udp:127.0.0.1:0,tcp:127.0.0.1:0';
    calls = await startCallServer({ SIP_LISTEN: hasIpv6 ? `${listen},udp:[::1]:0` : listen });
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls?.close());

  /** Hangs up, and makes sure that the record names both. */
  async function endWithRecord(from: SipPeer, to: SipPeer, call: UpCall): Promise<void> {
    await hangUp(from, to, call);
    const [record] = await calls.recordsOf(call.invite.callId);
    assert.deepEqual(
      [record?.callerNumber, record?.calleeNumber, record?.result],
      [from.username, to.username, 'ANSWERED'],
    );
  }

  test('RFC 3261 §7.3.3: a phone that writes compact headers registers, calls and is called', async () => {
    const short = await calls.phone('1003', { write: compact });
    await endWithRecord(short, b, await connect(short, b));
    await endWithRecord(a, short, await connect(a, short));
    await short.register(0);
  });

  test('RFC 3261 §7.3.1: several Contacts in one header are several phones', async () => {
    const [first, second] = await Promise.all([
      calls.phone('1004', { register: false }),
      calls.phone('1004', { register: false }),
    ]);
    const register = first.request('REGISTER', 'sip:127.0.0.1', 'sip:1004@127.0.0.1');
    register.append(
      'Contact',
      `"Desk, left" ${first.contact};expires=300 , ${second.contact};q=0.5;expires=300`,
    );
    const ok = await first.withCredentials(register);
    assert.equal(ok.statusCode, 200);
    assert.equal(ok.list('contact').length, 2);
    const report = await calls.server.mml('DSP REG: USERNAME=1004');
    for (const { port } of [first, second])
      assert.match(report, new RegExp(`sip:1004@127\\.0\\.0\\.1:${port}\\b`));
  });

  test('RFC 3261 §7.3.1: two Vias in one header come back, in their order', async () => {
    const udp = await RawUdp.open();
    try {
      udp.send(
        [
          'OPTIONS sip:127.0.0.1 SIP/2.0',
          `v: SIP/2.0/UDP 127.0.0.1:${udp.port};branch=z9hG4bKtop;rport, SIP/2.0/TCP [2001:db8::9]:5070;branch=z9hG4bKbelow`,
          'Max-Forwards: 70',
          'f: <sip:1001@127.0.0.1>;tag=list',
          't: <sip:127.0.0.1>',
          'i: two-vias',
          'CSeq: 1 OPTIONS',
          'l: 0',
          '',
          '',
        ].join('\r\n'),
        calls.server.udpPort,
      );
      const answer = await udp.inbox.next();
      assert.match(answer, /^SIP\/2\.0 200 /);
      assert.match(answer, /z9hG4bKtop[\s\S]*\[2001:db8::9\]:5070;branch=z9hG4bKbelow/);
    } finally {
      await udp.close();
    }
  });

  for (const uri of [
    'tel:1002',
    'tel:10-02;phone-context=example.com',
    'sips:1002@127.0.0.1',
    'sip:1002@127.0.0.1;user=phone',
    'sip:%31002@127.0.0.1',
  ])
    test(`RFC 3261 §19.1, RFC 3966: ${uri} calls 1002`, async () => {
      const invite = await a.invite('1002', a.sdp(), (request) => {
        request.requestUri = uri;
      });
      const atB = await b.next('INVITE');
      b.respond(atB, 200, { sdp: b.sdp() });
      const dialog = a.ack(invite, await a.response(invite, 200));
      await b.next('ACK');
      const bye = a.bye(dialog);
      await b.expectBye();
      await bye;
      const [record] = await calls.recordsOf(invite.callId);
      assert.deepEqual([record?.calleeNumber, record?.result], ['1002', 'ANSWERED']);
    });

  describe('RFC 3261 §18: over TCP', () => {
    let tcp: SipPeer;
    before(async () => {
      tcp = await calls.phone('1003', { transport: 'tcp' });
    });

    test('an INVITE goes to the callee and not back to the caller', async () => {
      const call = await connect(tcp, b);
      assert.match(call.atB.topVia?.protocol ?? call.atB.get('via') ?? '', /UDP/i);
      assert.equal(tcp.has('INVITE'), false);
      await endWithRecord(tcp, b, call);
    });

    test('a call to a phone on TCP comes down the connection that it registered from', async () => {
      const call = await connect(a, tcp);
      assert.match(call.atB.get('via') ?? '', /TCP/);
      await endWithRecord(a, tcp, call);
    });
  });

  describe('RFC 5118: over IPv6', { skip: hasIpv6 ? needsBuiltInEngine : 'no ::1 here' }, () => {
    let six: SipPeer;
    let other: SipPeer;
    before(async () => {
      const listener = calls.server.facts.sip.find((each) => each.includes('[::1]'));
      const at = { server: { address: '::1', port: Number(listener?.split(':').at(-1)) } };
      [six, other] = [await calls.phone('1003', at), await calls.phone('1004', at)];
    });
    after(() => Promise.all([six.register(0), other.register(0)]));

    test('a call: addresses of IPv6 in signalling and in descriptions', async () => {
      const call = await connect(six, other);
      for (const message of [call.atB, call.ok]) {
        assert.match(message.get('contact') ?? '', /@?\[::1\]:\d+/);
        assert.match(message.body.toString(), /^c=IN IP6 ::1\r$/m);
        assert.ok(![0, mediaPort({ body: Buffer.from(six.sdp()) })].includes(mediaPort(message)));
      }
      await endWithRecord(six, other, call);
    });

    test('a limit: in a call between families each is told an address of the other’s, which it may not reach', async () => {
      for (const [from, to, ofFrom, ofTo] of [
        [six, b, 'IP6 ::1', 'IP4 127.0.0.1'],
        [b, six, 'IP4 127.0.0.1', 'IP6 ::1'],
      ] as const) {
        const call = await connect(from, to);
        for (const [message, speaker, address] of [
          [call.atB, from, ofFrom],
          [call.ok, to, ofTo],
        ] as const) {
          const lines = message.body.toString().split('\r\n');
          assert.deepEqual(
            lines.filter((line) => /^(c|m)=/.test(line)),
            [`c=IN ${address}`, `m=audio ${mediaPort(message)} RTP/AVP 0`],
          );
          assert.ok(
            ![0, undefined, mediaPort({ body: Buffer.from(speaker.sdp()) })].includes(mediaPort(message)),
          );
        }
        await endWithRecord(from, to, call);
      }
    });
  });
});
