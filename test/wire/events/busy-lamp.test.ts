import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SipRequest } from '../../../src/sip/message.js';
import { type CallRig, startThreePhones } from '../../support/call-rig.js';
import { connect, hangUp } from '../../support/call-steps.js';
import { notified, resubscribe, subscribe, subscribeRequest } from '../../support/event-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';

/** What a document says, with the parts that a lamp looks at. */
function read(notify: SipRequest) {
  const text = notify.body.toString();
  assert.equal(notify.get('content-type'), 'application/dialog-info+xml');
  const version = Number(/ version="(\d+)"/.exec(text)?.[1]);
  assert.match(text, / state="full" /);
  const dialogs = [
    ...text.matchAll(/<dialog (.*?)>\r\n<state>(.*?)<\/state>(?:.*\r\n)*?<remote><identity.*?>(.*?)</g),
  ].map(([, names = '', state, remote]) => ({
    state,
    remote,
    direction: /direction="(.*?)"/.exec(names)?.[1],
    callId: /call-id="(.*?)"/.exec(names)?.[1],
    localTag: /local-tag="(.*?)"/.exec(names)?.[1],
    remoteTag: /remote-tag="(.*?)"/.exec(names)?.[1],
    id: / ?id="(.*?)"/.exec(names)?.[1],
  }));
  return { version, dialogs };
}

describe('busy lamps by the dialog package', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let c: SipPeer;
  before(async () => {
    ({ rig, a, b, c } = await startThreePhones({ events: { intervalMs: 0 } }));
  });
  after(() => rig.close());

  /** The next document whose first dialog is in that state; what comes before it is answered. */
  async function until(state: string) {
    for (;;) {
      const found = read(await notified(c));
      if (found.dialogs.at(-1)?.state === state) return found;
    }
  }

  test('RFC 4235 §3.4, §3.7.1, §4.1: trying, early, confirmed, terminated of a callee; versions go up', async () => {
    const { dialog, ok, notify } = await subscribe(c, '1002', 'dialog');
    assert.equal(ok.get('expires'), '3600');
    assert.deepEqual(read(notify), { version: 0, dialogs: [] });
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    const trying = await until('trying');
    b.respond(atB, 180);
    const early = await until('early');
    assert.equal(early.version, trying.version + 1);
    assert.deepEqual(early.dialogs, [
      {
        state: 'early',
        remote: 'sip:1001@ims',
        direction: 'recipient',
        callId: trying.dialogs[0]?.callId,
        localTag: trying.dialogs[0]?.localTag,
        remoteTag: trying.dialogs[0]?.remoteTag,
        id: trying.dialogs[0]?.id,
      },
    ]);
    // RFC 4235: who knew the phone's own names for the dialog could speak in it.
    const secrets = [atB.callId, atB.fromTag, b.dialogAsUas(atB).localTag];
    for (const { callId, localTag, remoteTag } of early.dialogs)
      for (const name of [callId, localTag, remoteTag]) assert.ok(name && !secrets.includes(name));
    b.respond(atB, 200, { sdp: b.sdp() });
    const answer = await a.response(invite, 200);
    await b.next('ACK');
    const call = a.ack(invite, answer);
    assert.equal((await until('confirmed')).dialogs.length, 1);
    const bye = a.bye(call);
    await b.expectBye();
    await bye;
    const ended = await until('terminated');
    assert.equal(ended.dialogs[0]?.id, trying.dialogs[0]?.id);
    assert.equal((await resubscribe(c, dialog, 'dialog', 0)).statusCode, 200);
    await notified(c);
  });

  test('RFC 4235 §4.1.1: of a caller it says initiator; a call that is up already is told at once', async () => {
    const call = await connect(a, b);
    const { notify, dialog } = await subscribe(c, '1001', 'dialog', { Expires: '60' });
    const [first] = read(notify).dialogs;
    assert.deepEqual(
      [first?.state, first?.direction, first?.remote, first?.callId === call.invite.callId],
      ['confirmed', 'initiator', 'sip:1002@ims', false],
    );
    await hangUp(a, b, call);
    await until('terminated');
    assert.equal((await resubscribe(c, dialog, 'dialog', 0)).statusCode, 200);
    await notified(c);
  });

  test('RFC 3323 §4.1: an anonymous caller stays so', async () => {
    const invite = await a.invite('1002', undefined, (request) => request.append('Privacy', 'id'));
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    const { notify } = await subscribe(c, '1002', 'dialog', { Expires: '0' });
    assert.equal(read(notify).dialogs.at(-1)?.remote, 'sip:anonymous@anonymous.invalid');
    assert.doesNotMatch(notify.body.toString(), /1001/);
    b.respond(atB, 486);
    a.ackRefusal(invite, await a.final(invite));
  });

  test('RFC 4235 §3.6: a user of nobody is 404', async () => {
    assert.equal((await c.withCredentials(subscribeRequest(c, '9999', 'dialog'))).statusCode, 404);
  });
});
