import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applyRegister,
  type BindingPolicy,
  DEFAULT_BINDING_POLICY,
} from '../../../src/registrar/apply-register.js';
import { RegisterRefusedError } from '../../../src/registrar/errors.js';
import { readRegister } from '../../../src/registrar/register-request.js';
import type { BindingUpdate, KeyedBinding } from '../../../src/registrar/working-set.js';
import { srfRequest } from '../../support/srf-message.js';

const NOW = Date.UTC(2030, 0, 1);

interface Register {
  contact?: string | readonly string[];
  expires?: string;
  callId?: string;
  cseq?: number;
  address?: string;
  port?: number;
  supported?: string;
}

/** A registrar's memory of one address, driven by REGISTER texts. */
class Phonebook {
  live: readonly KeyedBinding[] = [];
  nowMs = NOW;

  constructor(readonly policy: BindingPolicy = DEFAULT_BINDING_POLICY) {}

  register(register: Register): BindingUpdate {
    const lines = [register.contact ?? []].flat().map((value) => `Contact: ${value}`);
    if (register.expires !== undefined) lines.push(`Expires: ${register.expires}`);
    if (register.supported !== undefined) lines.push(`Supported: ${register.supported}`);
    const text = [
      'REGISTER sip:ims SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1',
      'From: <sip:1001@ims>;tag=1',
      'To: <sip:1001@ims>',
      `Call-ID: ${register.callId ?? 'c1'}`,
      `CSeq: ${register.cseq ?? 1} REGISTER`,
      ...lines,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    const { address = '192.0.2.1', port = 5060 } = register;
    const request = readRegister(srfRequest(text, { address, port }));
    const update = applyRegister('1001@ims', request, this.live, this.policy, this.nowMs);
    this.live = update.result;
    return update;
  }

  /** `contact expires` of each, in order of contact. */
  get held(): string[] {
    return this.live
      .map(({ binding }) => `${binding.contact} ${(binding.expiresAt - this.nowMs) / 1000}`)
      .sort();
  }
}

function refusal(work: () => unknown): RegisterRefusedError {
  let error: unknown;
  try {
    work();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof RegisterRefusedError, String(error));
  return error;
}

test('RFC 3261 §10.3: a contact is bound with its flow, for the default time when none is asked', () => {
  const book = new Phonebook();
  const update = book.register({ contact: '<sip:1001@10.0.0.5:5062>', address: '198.51.100.9', port: 40000 });
  const binding = update.result[0]!.binding;
  assert.deepEqual(book.held, ['sip:1001@10.0.0.5:5062 3600']);
  assert.equal(binding.address, '198.51.100.9');
  assert.equal(binding.port, 40000);
  assert.equal(binding.protocol, 'udp');
  assert.deepEqual(
    update.changes.map((change) => change.kind),
    ['registered'],
  );
});

test('RFC 3261 §10.2.1.1: the expires parameter beats the Expires header, which beats the default', () => {
  const book = new Phonebook();
  book.register({
    contact: ['<sip:a@10.0.0.1>;expires=100', '<sip:b@10.0.0.1>', '<sip:c@10.0.0.1>;expires=x'],
    expires: '200',
  });
  assert.deepEqual(book.held, ['sip:a@10.0.0.1 100', 'sip:b@10.0.0.1 200', 'sip:c@10.0.0.1 3600']);
  book.register({ contact: '<sip:a@10.0.0.1>', expires: 'soon', cseq: 2 });
  assert.equal(book.held[0], 'sip:a@10.0.0.1 3600');
});

test('RFC 3261 §7.3.1: several contacts, in one line or many, with commas and quotes in them', () => {
  const book = new Phonebook();
  book.register({
    contact: [
      '"Doe, Jane" <sip:a,b@10.0.0.1>;q=0.5, sip:c@10.0.0.2;q=0.7;expires=90',
      '<sip:d@[2001:db8::1]:5070;transport=tcp>',
    ],
  });
  assert.deepEqual(book.held, [
    'sip:a,b@10.0.0.1 3600',
    'sip:c@10.0.0.2 90',
    'sip:d@[2001:db8::1]:5070;transport=tcp 3600',
  ]);
  assert.deepEqual(book.live.map((item) => item.binding.q).sort(), [0.5, 0.7, 1]);
});

test('RFC 3261 §21.4.17, §10.3 step 7: an interval under the minimum is 423 with Min-Expires, over the maximum cut', () => {
  const book = new Phonebook();
  const error = refusal(() => book.register({ contact: '<sip:a@10.0.0.1>', expires: '59' }));
  assert.equal(error.sipStatus, 423);
  assert.deepEqual(error.headers, { 'Min-Expires': '60' });
  book.register({ contact: '<sip:a@10.0.0.1>', expires: '60' });
  assert.deepEqual(book.held, ['sip:a@10.0.0.1 60']);
  book.register({ contact: '<sip:a@10.0.0.1>', expires: '4294967296', cseq: 2 });
  assert.deepEqual(book.held, ['sip:a@10.0.0.1 3600']);
});

test('RFC 3261 §10.2.2: expires=0 removes that contact alone; one that is not there is no error', () => {
  const book = new Phonebook();
  book.register({ contact: ['<sip:a@10.0.0.1>', '<sip:b@10.0.0.1>'] });
  const update = book.register({
    contact: ['<sip:a@10.0.0.1>;expires=0', '<sip:x@10.0.0.1>;expires=0'],
    cseq: 2,
  });
  assert.deepEqual(book.held, ['sip:b@10.0.0.1 3600']);
  assert.deepEqual(
    update.changes.map((change) => [change.kind, change.binding.contact]),
    [['removed', 'sip:a@10.0.0.1']],
  );
});

test('RFC 3261 §10.3 step 6: * removes all, and needs Expires 0 and to stand alone', () => {
  const book = new Phonebook();
  book.register({ contact: ['<sip:a@10.0.0.1>', '<sip:b@10.0.0.1>'] });
  assert.equal(refusal(() => book.register({ contact: '*', cseq: 2 })).sipStatus, 400);
  assert.equal(refusal(() => book.register({ contact: '*', expires: '60', cseq: 2 })).sipStatus, 400);
  assert.throws(() => book.register({ contact: ['*', '<sip:a@10.0.0.1>'], expires: '0', cseq: 2 }), {
    sipStatus: 400,
  });
  assert.equal(book.live.length, 2);
  const update = book.register({ contact: '*', expires: '0', cseq: 2 });
  assert.deepEqual(book.held, []);
  assert.equal(update.removeKeys.length, 2);
});

test('RFC 3261 §10.3 step 7: an older CSeq of the same Call-ID changes nothing, of another Call-ID it does', () => {
  const book = new Phonebook();
  book.register({ contact: '<sip:a@10.0.0.1>', cseq: 5 });
  for (const cseq of [4, 5])
    assert.equal(
      refusal(() => book.register({ contact: '<sip:a@10.0.0.1>;expires=0', cseq })).sipStatus,
      400,
    );
  assert.equal(refusal(() => book.register({ contact: '*', expires: '0', cseq: 3 })).sipStatus, 400);
  assert.equal(book.live.length, 1);
  book.register({ contact: '<sip:a@10.0.0.1>', callId: 'c2', cseq: 1, expires: '120' });
  assert.deepEqual(book.held, ['sip:a@10.0.0.1 120']);
});

test('RFC 3261 §10.3 step 7: all contacts of a request are taken, or none', () => {
  const book = new Phonebook();
  refusal(() => book.register({ contact: ['<sip:a@10.0.0.1>', '<sip:b@10.0.0.1>;expires=5'] }));
  refusal(() => book.register({ contact: ['<sip:a@10.0.0.1>', '<tel:+123>'] }));
  assert.deepEqual(book.held, []);
});

test('RFC 3261 §10.2.3: no Contact is a query', () => {
  const book = new Phonebook();
  book.register({ contact: '<sip:a@10.0.0.1>' });
  const update = book.register({ cseq: 2 });
  assert.equal(update.result.length, 1);
  assert.deepEqual([update.put, update.removeKeys, update.changes], [[], [], []]);
});

test('RFC 3261 §19.1.4: an equal URI refreshes the binding, written as it may be', () => {
  const book = new Phonebook();
  book.register({ contact: '<sip:a@PHONE.example;transport=UDP;x=1>' });
  book.register({ contact: '<sip:%61@phone.EXAMPLE;y=2;transport=udp>', cseq: 2 });
  assert.deepEqual(book.held, ['sip:%61@phone.EXAMPLE;y=2;transport=udp 3600']);
  book.register({ contact: '<sip:A@phone.example;transport=udp>', cseq: 3 });
  assert.equal(book.live.length, 2, 'the user part is case-sensitive');
  book.register({ contact: '<sip:a@phone.example:5060;transport=udp>', cseq: 4 });
  assert.equal(book.live.length, 3, 'a written port differs from none');
});

test('a refresh keeps the time of registration and is no change; a new source is one', () => {
  const book = new Phonebook();
  book.register({ contact: '<sip:a@10.0.0.1>' });
  book.nowMs += 60_000;
  const refresh = book.register({ contact: '<sip:a@10.0.0.1>', cseq: 2 });
  assert.deepEqual(refresh.changes, []);
  assert.equal(refresh.result[0]!.binding.registeredAt, NOW);
  assert.deepEqual(book.held, ['sip:a@10.0.0.1 3600']);
  const moved = book.register({ contact: '<sip:a@10.0.0.1>', cseq: 3, port: 61000 });
  assert.deepEqual(
    moved.changes.map((change) => change.kind),
    ['changed'],
  );
  assert.equal(moved.result.length, 1);
  assert.equal(moved.result[0]!.binding.port, 61000);
});

test('RFC 5626 §4.1: the same instance replaces its contact, whatever it looks like', () => {
  const book = new Phonebook();
  const instance = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"';
  book.register({ contact: `<sip:a@10.0.0.1:5060>;${instance}`, callId: 'boot1' });
  const update = book.register({ contact: `<sip:a@10.9.9.9:6060>;${instance}`, callId: 'boot2' });
  assert.deepEqual(book.held, ['sip:a@10.9.9.9:6060 3600']);
  assert.equal(update.removeKeys.length + update.put.length, 1);
  book.register({ contact: `<sip:a@10.9.9.9:6061>;${instance.replace('FF', '00')}`, callId: 'other' });
  assert.equal(book.live.length, 2);
});

test('RFC 5626 §6: flows of one phone are bindings of their own, and each replaces itself', () => {
  const book = new Phonebook();
  const flow = (regId: number, port: number, more: Register = {}): BindingUpdate =>
    book.register({
      contact: `<sip:a@10.0.0.1>;+sip.instance="<urn:uuid:1>";reg-id=${regId}`,
      supported: 'path, outbound',
      callId: `flow${regId}`,
      port,
      ...more,
    });
  const ports = (): number[] => book.live.map(({ binding }) => binding.port).sort();
  flow(1, 4001);
  flow(2, 4002);
  assert.deepEqual(ports(), [4001, 4002]);
  flow(1, 5001, { callId: 'rebooted' });
  assert.deepEqual(ports(), [4002, 5001]);
  flow(2, 4002, { expires: '0', cseq: 2 });
  assert.deepEqual(ports(), [5001]);
});

test('RFC 5626 §6: reg-id of a phone that does not say outbound, or without an instance, counts for nothing', () => {
  const book = new Phonebook();
  const instance = '+sip.instance="<urn:uuid:1>"';
  book.register({ contact: `<sip:a@10.0.0.1>;${instance};reg-id=1`, callId: 'c1' });
  book.register({ contact: `<sip:a@10.0.0.2>;${instance};reg-id=2`, callId: 'c2' });
  assert.deepEqual(book.held, ['sip:a@10.0.0.2 3600']);
  book.register({ contact: '<sip:b@10.0.0.1>;reg-id=1', callId: 'c3', supported: 'outbound' });
  book.register({ contact: '<sip:b@10.0.0.1>;reg-id=2', callId: 'c4', supported: 'outbound' });
  assert.equal(book.live.length, 2);
});

test('a phone that writes its public address and got a new port replaces itself', () => {
  const book = new Phonebook();
  book.register({ contact: '<sip:a@198.51.100.9:40001>', address: '198.51.100.9', port: 40001 });
  const update = book.register({
    contact: '<sip:a@198.51.100.9:40002>',
    address: '198.51.100.9',
    port: 40002,
    cseq: 2,
  });
  assert.deepEqual(book.held, ['sip:a@198.51.100.9:40002 3600']);
  assert.equal(update.removeKeys.length, 1);
  book.register({
    contact: '<sip:a@198.51.100.9:40003>',
    address: '198.51.100.9',
    port: 40003,
    callId: 'another phone',
  });
  assert.equal(book.live.length, 2, 'another Call-ID is another phone');
});

test('two contacts of one Call-ID registered one after the other are two bindings', () => {
  const book = new Phonebook();
  book.register({ contact: '<sip:a@192.0.2.1:5060>' });
  book.register({ contact: '<sip:a@192.0.2.1:5070>', cseq: 2 });
  assert.equal(book.live.length, 2);
});

test('over the maximum the binding registered first goes, or the new one is refused', () => {
  const replace = new Phonebook({ ...DEFAULT_BINDING_POLICY, maxContacts: 2 });
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    replace.nowMs = NOW + i;
    replace.register({ contact: `<sip:${name}@10.0.0.1>`, callId: name });
  }
  assert.deepEqual(replace.live.map((item) => item.binding.contact).sort(), [
    'sip:b@10.0.0.1',
    'sip:c@10.0.0.1',
  ]);
  const refuse = new Phonebook({ ...DEFAULT_BINDING_POLICY, maxContacts: 2, overflow: 'refuse' });
  for (const name of ['a', 'b']) refuse.register({ contact: `<sip:${name}@10.0.0.1>`, callId: name });
  assert.equal(refusal(() => refuse.register({ contact: '<sip:c@10.0.0.1>', callId: 'c' })).sipStatus, 403);
  refuse.register({ contact: '<sip:a@10.0.0.1>', callId: 'a', cseq: 2 });
  assert.equal(refuse.live.length, 2);
  const many = ['a', 'b', 'c'].map((name) => `<sip:${name}@10.0.0.1>`);
  assert.equal(refusal(() => replace.register({ contact: many, callId: 'd' })).sipStatus, 403);
});

test('one contact named twice in a request is one binding: the later word counts', () => {
  const book = new Phonebook();
  book.register({ contact: ['<sip:a@10.0.0.1>;expires=100', '<sip:a@10.0.0.1>;expires=300'] });
  assert.deepEqual(book.held, ['sip:a@10.0.0.1 300']);
  book.register({ contact: ['<sip:a@10.0.0.1>;expires=100', '<sip:a@10.0.0.1>;expires=0'], cseq: 2 });
  assert.deepEqual(book.held, []);
});

test('contacts nobody could call are refused: malformed, of another scheme, too long, too many', () => {
  const book = new Phonebook();
  for (const contact of [
    '<sip:>',
    'nonsense',
    '<mailto:a@b>',
    '<sip:a@10.0.0.1',
    `<sip:${'a'.repeat(1100)}@x>`,
  ])
    assert.throws(() => book.register({ contact }), { sipStatus: 400 }, contact.slice(0, 30));
  const many = Array.from({ length: 21 }, (_, i) => `<sip:a${i}@10.0.0.1>`);
  assert.equal(refusal(() => book.register({ contact: many })).sipStatus, 403);
});
