import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startCallServer } from '../support/call-server.js';
import { connect, hangUp, mediaPort } from '../support/call-steps.js';
import { assertWhole, comeBack, startKeptCall, untilKept, untilStateKept } from '../support/kept-calls.js';
import { needsBuiltInEngine } from '../support/parts.js';

describe('calls that are up when the server ends go on', { skip: needsBuiltInEngine }, () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const)
    for (const who of ['caller', 'callee'] as const)
      test(`${signal}: BYE of the ${who} ends the other side, and one record holds the whole call`, async (t) => {
        const { calls, a, b, call } = await startKeptCall();
        t.after(calls.close);
        await comeBack(calls, signal, a, b);
        const back = Date.now();
        if (who === 'caller') await hangUp(a, b, call);
        else {
          const answer = b.bye(call.b);
          const bye = await a.expectBye();
          assert.equal(bye.callId, call.invite.callId);
          assert.equal((await answer).statusCode, 200);
        }
        const [record] = await calls.records(1);
        assertWhole(record, 1);
        assert.ok(record.endTime >= back, 'the record ends after the restart');
        assert.equal(record.releaseParty, who === 'caller' ? 'CALLER' : 'CALLEE');
      });

  test('re-INVITE of either side, INFO both ways, and a second kill -9', async (t) => {
    const { calls, a, b, call } = await startKeptCall();
    t.after(calls.close);
    await comeBack(calls, 'SIGKILL', a, b);
    // RFC 3261 §14, RFC 3264 §8.4: hold by the caller goes to the callee with the relay's ports, and back.
    const hold = a.inDialog(call.a, 'INVITE', { sdp: a.sdp('sendonly', 2) });
    const atB = await b.next('INVITE');
    assert.match(atB.body.toString(), /a=sendonly/);
    assert.ok(
      (atB.cseq?.seq ?? 0) > (call.atB.cseq?.seq ?? 0),
      'a higher number than any before (RFC 3261 §12.2.1.1)',
    );
    assert.equal(mediaPort(atB), mediaPort(call.atB), 'the port of before the restart');
    assert.equal(sessId(atB), sessId(call.atB), 'the session of before the restart (RFC 3264 §8)');
    b.respond(atB, 200, { sdp: b.sdp('recvonly', 2) });
    const held = await a.response(hold, 200);
    assert.equal(mediaPort(held), mediaPort(call.ok));
    a.ackIn(call.a, hold.cseq?.seq ?? 0);
    await b.next('ACK');
    assert.match(await calls.server.mml('DSP CALL'), /held/);
    await untilStateKept(calls.server, '"held":["a"]');

    await comeBack(calls, 'SIGKILL', a, b);
    assert.match(await calls.server.mml('DSP CALL'), /held/);
    const resume = b.inDialog(call.b, 'INVITE', { sdp: b.sdp('sendrecv', 3) });
    const atA = await a.next('INVITE');
    assert.equal(mediaPort(atA), mediaPort(call.ok));
    a.respond(atA, 200, { sdp: a.sdp('sendrecv', 3) });
    await b.response(resume, 200);
    b.ackIn(call.b, resume.cseq?.seq ?? 0);
    await a.next('ACK');
    for (const [from, to, dialog] of [
      [a, b, call.a],
      [b, a, call.b],
    ] as const) {
      const headers = { 'Content-Type': 'application/dtmf-relay' };
      const info = from.inDialog(dialog, 'INFO', { headers, body: 'Signal=5\r\nDuration=160\r\n' });
      const passed = await to.next('INFO');
      assert.match(passed.body.toString(), /Signal=5/);
      to.respond(passed, 200);
      assert.equal((await from.final(info)).statusCode, 200);
    }
    await hangUp(a, b, call);
    const [record] = await calls.records(1);
    assertWhole(record, 2);
    assert.deepEqual([record.reinvites, record.dtmfCount], [2, 2]);
    assert.ok(record.holdMs > 300, 'on hold over the second restart');
    // A start later finds nothing more to tell.
    await comeBack(calls, 'SIGKILL');
    await hangUp(a, b, await connect(a, b));
    assert.deepEqual(
      (await calls.records(2)).map(({ extra }) => extra?.['restarts']),
      ['2', undefined],
    );
  });

  test('a BYE that comes while the server starts is heard', async (t) => {
    const { calls, a, b, call } = await startKeptCall();
    t.after(calls.close);
    await calls.server.kill('SIGKILL');
    const bye = a.inDialog(call.a, 'BYE');
    const restarted = calls.restart();
    const repetition = setInterval(() => a.send(bye), 100);
    await restarted;
    await b.expectBye();
    assert.equal((await a.final(bye)).statusCode, 200);
    clearInterval(repetition);
    assertWhole((await calls.records(1))[0], 1);
  });

  test('a phone that has gone ends the call', async (t) => {
    const { calls, a, b, call } = await startKeptCall();
    t.after(calls.close);
    await comeBack(calls, 'SIGKILL');
    // RFC 3261 §12.2.1.2: 481 says that the phone does not have the call any more.
    b.respond(await b.next('OPTIONS'), 481);
    assert.equal((await a.expectBye()).callId, call.invite.callId);
    const [record] = await calls.records(1);
    assert.deepEqual([record?.result, record?.releaseReason], ['ABNORMAL', 'dialog-lost']);
  });

  test('RFC 5626 §4.5: a phone over TCP comes back by a new connection, and hears the BYE of the other there', async (t) => {
    const calls = await startCallServer({ DRAIN_SEC: '0' });
    t.after(calls.close);
    const former = await calls.phone('1001', { transport: 'tcp' });
    const b = await calls.phone('1002');
    const call = await connect(former, b);
    await untilKept(calls.server, call.invite.callId ?? '', call.atB.callId ?? '');
    await comeBack(calls, 'SIGKILL', b);
    const a = await calls.phone('1001', { transport: 'tcp' });
    // What it sends by the new connection is of its old call; what is sent to it goes there.
    const info = a.inDialog(call.a, 'INFO', {
      headers: { 'Content-Type': 'text/plain' },
      body: 'still there',
    });
    b.respond(await b.next('INFO'), 200);
    assert.equal((await a.final(info)).statusCode, 200);
    const bye = b.bye(call.b);
    assert.equal((await a.expectBye()).callId, call.invite.callId);
    assert.equal((await bye).statusCode, 200);
    assertWhole((await calls.records(1))[0], 1);
  });

  test('RFC 5589 §6.1: a call that was transferred goes on between the two that are left', async (t) => {
    const { calls, a, b, call } = await startKeptCall();
    t.after(calls.close);
    const c = await calls.phone('1003');
    const headers = { 'Refer-To': '<sip:1003@127.0.0.1>', Contact: a.contact };
    assert.equal((await a.final(a.inDialog(call.a, 'REFER', { headers }))).statusCode, 202);
    const atC = await c.next('INVITE');
    c.respond(atC, 200, { sdp: c.sdp() });
    await c.next('ACK');
    const offer = await b.next('INVITE');
    b.respond(offer, 200, { sdp: b.sdp('sendrecv', 2) });
    await b.next('ACK');
    // Each NOTIFY waits for the answer to the one before.
    const answering = setInterval(() => {
      while (a.has('NOTIFY')) void a.next('NOTIFY').then((notify) => a.respond(notify, 200));
    }, 20);
    await a.expectBye().finally(() => clearInterval(answering));
    const [ofB, ofC] = [call.atB.callId ?? '', atC.callId ?? ''];
    await untilKept(calls.server, ofB, ofC);
    await comeBack(calls, 'SIGKILL', b, c);
    const bye = b.bye(call.b);
    assert.equal((await c.expectBye()).callId, ofC);
    assert.equal((await bye).statusCode, 200);
    const [record] = await calls.records(1);
    assert.deepEqual(
      [record?.result, record?.transferredBy, record?.transferredTo, record?.extra?.['restarts']],
      ['ANSWERED', '1001', '1003', '1'],
    );
    assert.equal(record?.attempts.length, 2);
  });

  test('the longest duration goes on to count', async (t) => {
    const { calls, a, b } = await startKeptCall({ MAX_CALL_SEC: '4' });
    t.after(calls.close);
    await delay(2000);
    await comeBack(calls, 'SIGKILL');
    const back = Date.now();
    await Promise.all([a.expectBye(), b.expectBye()]);
    const [record] = await calls.records(1);
    assert.equal(record?.releaseReason, 'duration-exceeded');
    assert.ok(record.billSec >= 4, `${record.billSec} s of 4`);
    assert.ok(record.endTime < back + 3000, 'a count that began anew would take four seconds');
  });
});

/** Id in the o= line. */
function sessId(message: { readonly body: Buffer }): string | undefined {
  return /^o=\S+ (\S+)/m.exec(message.body.toString())?.[1];
}
