import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect } from '../support/call-steps.js';
import type { TestKamailio } from '../support/kamailio.js';
import { startEdge } from '../support/kamailio-edge.js';
import { comeBack, untilKept } from '../support/kept-calls.js';
import { missing } from '../support/peers.js';
import type { SipPeer } from '../support/sip-peer.js';

for (const transport of ['udp', 'tcp'] as const)
  describe(`phones behind Kamailio as the edge proxy, ${transport} between it and the server`, {
    skip: missing('kamailio'),
  }, () => {
    let calls: CallServer;
    let edge: TestKamailio;
    let a: SipPeer;
    let b: SipPeer;
    let count = 0;
    before(async () => {
      calls = await startCallServer({ DRAIN_SEC: '0' });
      const serverPort = calls.server.sipPort(transport);
      edge = await startEdge({ serverPort, transport });
      const server = { address: '127.0.0.1', port: edge.port };
      a = await calls.phone('1001', { server, register: false });
      b = await calls.phone('1002', { server, register: false });
    });
    after(async () => {
      await calls?.close();
      await edge?.close();
    });

    test('RFC 3327 §5.3: the Path of the edge is kept, and copied into the 200 to REGISTER', async () => {
      for (const phone of [a, b]) {
        const ok = await phone.register();
        assert.equal(ok.statusCode, 200, edge.output());
        assert.match(ok.get('path') ?? '', new RegExp(`^<sip:127.0.0.1:${edge.port};`));
      }
    });

    test('RFC 3327 §5.1, RFC 3665 §3.2: a call goes by the edge both ways, and so does all that follows', async () => {
      const call = await connect(a, b);
      const via = call.atB.list('record-route');
      assert.ok(via.length >= 1 && via.every((route) => route.includes(`127.0.0.1:${edge.port}`)));
      assert.deepEqual(call.atB.getAll('route'), [], 'the edge took its own Route');
      const hold = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
      const atB = await b.next('INVITE');
      b.respond(atB, 200, { sdp: b.sdp('recvonly', 2) });
      await a.response(hold, 200);
      a.ackIn(call.a, hold.cseq?.seq ?? 0);
      await b.next('ACK');
      const bye = b.bye(call.b);
      await a.expectBye();
      assert.equal((await bye).statusCode, 200);
      const [record] = await calls.records(++count);
      assert.deepEqual([record?.result, record?.reinvites], ['ANSWERED', 1]);
    });

    test('RFC 3261 §9, §16.10: a call that is cancelled while it rings', async () => {
      const invite = await a.invite('1002');
      const atB = await b.next('INVITE');
      b.respond(atB, 180);
      await a.response(invite, 180);
      a.cancel(invite);
      b.respond(await b.next('CANCEL'), 200);
      b.respond(atB, 487);
      a.ackRefusal(invite, await a.response(invite, 487));
      const record = (await calls.records(++count)).at(-1);
      assert.equal(record?.result, 'CANCELLED');
    });

    test('a call goes on after kill -9 of the server, by the routes of before', async () => {
      const call = await connect(b, a);
      await untilKept(calls.server, call.invite.callId ?? '', call.atB.callId ?? '');
      await comeBack(calls, 'SIGKILL', a, b);
      const bye = a.bye(call.b);
      await b.expectBye();
      assert.equal((await bye).statusCode, 200);
      const record = (await calls.records(++count)).at(-1);
      assert.equal(record?.releaseReason, 'normal-clearing');
      // The Path outlives the restart too.
      const next = await connect(b, a);
      const end = b.bye(next.a);
      await a.expectBye();
      await end;
      await calls.records(++count);
    });
  });
