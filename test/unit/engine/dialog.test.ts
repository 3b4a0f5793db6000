import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Dialog, MAX_FORKS } from '../../../src/engine/dialog/dialog.js';
import { DialogTable } from '../../../src/engine/dialog/dialog-table.js';
import { SipRequest, SipResponse } from '../../../src/sip/message.js';

function invite(headers: Record<string, string> = {}): SipRequest {
  const request = new SipRequest('INVITE', 'sip:b@x');
  const all = { From: '<sip:a@x>;tag=A', To: '<sip:b@x>', 'Call-ID': 'c', CSeq: '7 INVITE', ...headers };
  for (const [name, value] of Object.entries(all)) request.append(name, value);
  return request;
}

function response(status: number, tag: string, headers: Record<string, string> = {}): SipResponse {
  const made = new SipResponse(status, 'x').append('To', `<sip:b@x>;tag=${tag}`);
  for (const [name, value] of Object.entries(headers)) made.append(name, value);
  return made;
}

const ROUTES = { 'Record-Route': '<sip:p2;lr>, <sip:p1;lr>', Contact: '<sip:a@a;x=1>' };

describe('a dialog', () => {
  test('RFC 3261 §12.1.1: of a UAS takes the route set in order and counts on from the request', () => {
    const dialog = Dialog.asUas(invite(ROUTES), 'B', '<sip:b@x>;tag=B');
    const bye = dialog.createRequest('BYE');
    assert.equal(bye.requestUri, 'sip:a@a;x=1');
    assert.deepEqual(bye.getAll('route'), ['<sip:p2;lr>', '<sip:p1;lr>']);
    assert.deepEqual(
      [bye.get('from'), bye.get('to'), bye.get('cseq')],
      ['<sip:b@x>;tag=B', '<sip:a@x>;tag=A', '8 BYE'],
    );
    assert.equal(dialog.nextHopUri(), 'sip:p2;lr');
  });

  test('RFC 3261 §12.1.2: of a UAC reverses the route set of the 2xx', () => {
    const dialog = Dialog.asUac(invite());
    dialog.confirm(response(200, 'B', { ...ROUTES, Contact: '<sip:b@b>' }));
    const info = dialog.createRequest('INFO');
    assert.deepEqual(info.getAll('route'), ['<sip:p1;lr>', '<sip:p2;lr>']);
    assert.deepEqual(
      [info.requestUri, info.get('to'), info.get('cseq')],
      ['sip:b@b', '<sip:b@x>;tag=B', '8 INFO'],
    );
    assert.equal(dialog.createRequest('ACK', 7).get('cseq'), '7 ACK');
    assert.equal(dialog.createRequest('BYE').get('cseq'), '9 BYE');
  });

  test('RFC 3261 §12.2.1.1: a strict router becomes the Request-URI, the target the last route', () => {
    const dialog = Dialog.asUas(
      invite({ 'Record-Route': '<sip:strict?x=y>, <sip:p1;lr>', Contact: '<sip:a@a>' }),
      'B',
      't',
    );
    const bye = dialog.createRequest('BYE');
    assert.equal(bye.requestUri, 'sip:strict');
    assert.deepEqual(bye.getAll('route'), ['<sip:p1;lr>', '<sip:a@a>']);
  });

  test('RFC 3261 §12.1.2: forks are early dialogs of their own, up to a bound', () => {
    const dialog = Dialog.asUac(invite());
    for (let i = 0; i < MAX_FORKS + 5; i++) dialog.learn(response(180, `t${i}`, { Contact: `<sip:${i}@b>` }));
    assert.equal(dialog.peerWithTag('T3')?.target, 'sip:3@b');
    assert.equal(dialog.peerWithTag(`t${MAX_FORKS}`), undefined);
    assert.equal(dialog.createRequest('PRACK', 8, dialog.peerWithTag('t3')).requestUri, 'sip:3@b');
    dialog.confirm(response(200, 'win', { Contact: '<sip:w@b>' }));
    assert.equal(dialog.peerWithTag('t3'), undefined);
    assert.equal(dialog.peer.target, 'sip:w@b');
  });

  test('RFC 3261 §12.2.2: refuses lower numbers, takes a new target', () => {
    const dialog = Dialog.asUas(invite(ROUTES), 'B', 't');
    assert.deepEqual(
      [6, 9, 8, 9].map((seq) => dialog.acceptRemoteSeq(seq)),
      [false, true, false, true],
    );
    dialog.refreshTarget(invite({ Contact: '<sip:new@a>' }));
    assert.equal(dialog.peer.target, 'sip:new@a');
    dialog.refreshTarget(invite());
    assert.equal(dialog.peer.target, 'sip:new@a');
  });
});

describe('the table of dialogs', () => {
  test('RFC 3261 §12.2.2, §8.1.1.4: finds by Call-ID and both tags; tags ignore case', () => {
    const table = new DialogTable();
    const entry = { wireId: 'c;from-tag=A', dialog: Dialog.asUas(invite(ROUTES), 'B', 't') };
    table.add(entry);
    assert.equal(table.match('c', 'b', 'a'), entry);
    for (const [callId, to, from] of [
      ['C', 'B', 'A'],
      ['c', 'X', 'A'],
      ['c', 'B', 'X'],
      ['c', 'B', undefined],
    ] as const)
      assert.equal(table.match(callId, to, from), undefined);
    table.remove(entry);
    assert.equal(table.match('c', 'B', 'A'), undefined);
    assert.equal(table.size, 0);
  });

  test('RFC 6665 §4.1.2.4: a UAC without a peer takes any From tag', () => {
    const table = new DialogTable();
    const entry = { wireId: 'c;from-tag=A', dialog: Dialog.asUac(invite()) };
    table.add(entry);
    assert.equal(table.match('c', 'A', 'whoever'), entry);
  });

  test('one name is one dialog: the newer takes it', () => {
    const table = new DialogTable();
    const make = () => ({ wireId: 'c;from-tag=A', dialog: Dialog.asUac(invite()) });
    const [older, newer] = [make(), make()];
    table.add(older);
    table.add(newer);
    table.remove(older);
    assert.equal(table.get('c;from-tag=A'), newer);
    assert.equal(table.match('c', 'A', undefined), newer);
  });
});
