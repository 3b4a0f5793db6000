import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CallRecord } from '../../src/cdr/types.js';
import type { SipRequest } from '../../src/sip/message.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import { untilRecords } from '../support/records.js';
import type { SipPeer } from '../support/sip-peer.js';

/** Instant messages between phones, through a whole server. */
describe('messages through a whole server', () => {
  let calls: CallServer;
  let a: SipPeer;
  before(async () => {
    calls = await startCallServer({ MESSAGE_RECORD_BODY: 'true' });
    a = await calls.phone('1001');
  });
  after(() => calls?.close());

  function message(text: string, to = '1002', headers: Record<string, string> = {}): SipRequest {
    const request = a.request('MESSAGE', `sip:${to}@${a.domain}`);
    for (const [name, value] of Object.entries({ 'Content-Type': 'text/plain', ...headers }))
      request.append(name, value);
    request.body = Buffer.from(text);
    return request;
  }

  /** Sends a message and resolves the status that its sender hears. */
  const say = async (...args: Parameters<typeof message>): Promise<number> =>
    (await a.withCredentials(message(...args))).statusCode;

  /** Waits for the next message of a phone and takes it. */
  async function hear(phone: SipPeer, status = 200): Promise<SipRequest> {
    const heard = await phone.next('MESSAGE');
    phone.respond(heard, status);
    return heard;
  }

  const recordsOf = (callId: string | undefined, count = 1): Promise<CallRecord[]> =>
    untilRecords(calls.server, count, (record) => record.callId === callId, 'MESSAGE');

  test('RFC 3428 §4, §7: a message goes to the phone of another, as it was written, and its 200 comes back', async () => {
    const b = await calls.phone('1002');
    const request = message('你好, 😀\r\nline two', '1002', { Subject: 'greeting', 'X-Own': 'kept' });
    const sent = a.withCredentials(request);
    const heard = await hear(b);
    assert.equal((await sent).statusCode, 200);
    assert.equal(heard.body.toString(), '你好, 😀\r\nline two');
    assert.equal(heard.get('content-type'), 'text/plain');
    assert.equal(heard.get('subject'), 'greeting');
    assert.equal(heard.get('x-own'), 'kept');
    assert.equal(heard.get('max-forwards'), '69');
    assert.match(heard.get('from') ?? '', /sip:1001@127\.0\.0\.1/);
    assert.match(heard.get('date') ?? '', /GMT$/);
    assert.notEqual(heard.callId, request.callId);
    const [record] = await recordsOf(request.callId);
    assert.equal(record?.type, 'MESSAGE');
    assert.deepEqual(
      [record.result, record.sipStatus, record.releaseReason, record.callerNumber, record.calleeNumber],
      ['ANSWERED', 200, 'message-delivered', '1001', '1002'],
    );
    assert.equal(record.messageBody, '你好, 😀\r\nline two');
    assert.deepEqual(record.bCallIds, [heard.callId]);
    assert.equal(record.billSec, 0);
    await b.register(0);
  });

  test('RFC 3428 §7: without a phone it is 202, and comes after a restart with the next registration, in order', async () => {
    const requests = ['one', 'two', 'three'].map((text) => message(text, '1003'));
    for (const request of requests) assert.equal((await a.withCredentials(request)).statusCode, 202);
    await calls.restart();
    const c = await calls.phone('1003');
    for (const text of ['one', 'two', 'three']) assert.equal((await hear(c)).body.toString(), text);
    const records = await recordsOf(requests[2]!.callId, 2);
    assert.deepEqual(
      records.map(({ sipStatus, releaseReason }) => `${sipStatus} ${releaseReason}`),
      ['202 message-stored', '200 message-delivered-later'],
    );
    await c.register();
    const sent = say('four', '1003');
    assert.equal((await hear(c)).body.toString(), 'four');
    assert.equal(await sent, 200);
    assert.equal(c.has('MESSAGE'), false, 'nothing comes twice');
  });

  test('ims cdr list beside a running server shows the records of each type, newest first', async () => {
    const b = await calls.phone('1002');
    const call = await connect(a, b);
    await hangUp(a, b, call);
    const request = message('shown', '1002');
    const sent = a.withCredentials(request);
    await hear(b);
    assert.equal((await sent).statusCode, 200);
    const ids = { CALL: call.invite.callId, MESSAGE: request.callId };
    await calls.recordsOf(ids.CALL);
    await recordsOf(ids.MESSAGE);
    for (const type of ['CALL', 'MESSAGE'] as const) {
      const stored = await untilRecords(calls.server, type === 'CALL' ? 1 : 9, undefined, type);
      const list = await calls.server.ims('cdr', 'list', '--json', '--type', type);
      assert.deepEqual([list.code, list.stderr], [0, '']);
      const listed = list.stdout.trimEnd().split('\n');
      assert.deepEqual(
        listed.map((line) => JSON.parse(line) as unknown),
        JSON.parse(JSON.stringify(stored.reverse())),
      );
      const [newest] = listed.map((line) => JSON.parse(line) as CallRecord);
      assert.deepEqual([newest?.type, newest?.callId], [type, ids[type]]);
      const { stdout } = await calls.server.ims('cdr', 'list', '--type', type, '--last', '1');
      assert.match(stdout, new RegExp(`^\\S+Z  ${type} +1001 +1002 +ANSWERED +200 [^\\n]*\\n$`));
    }
  });
});
