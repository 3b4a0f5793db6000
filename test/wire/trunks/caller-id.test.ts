import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SipRequest } from '../../../src/sip/message.js';
import type { TrunkInput } from '../../../src/trunks/types.js';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { addTrunk, reach, refuseAndEnd, routeZero } from '../../support/trunk-steps.js';

const PLAIN: TrunkInput = {
  identity: 'NONE',
  anonymous: false,
  fromUser: '',
  domain: '',
  trustIdentity: false,
};

describe('who calls, at the border to a trunk', () => {
  let rig: CallRig;
  let a: SipPeer;
  let gateway: SipPeer;
  let count = 0;
  before(async () => {
    rig = await startCallRig();
    a = await rig.phone('1001');
    await rig.users.modify('1001', { displayName: 'Li Si' });
    gateway = await rig.peer('gateway');
    await addTrunk(rig, 'carrier', gateway);
    await routeZero(rig, 'carrier');
  });
  after(() => rig.close());
  const lastRecord = async () => (await rig.records(++count)).at(-1)!;

  /** What the gateway gets of a call out. */
  async function outgoing(input: TrunkInput, privacy?: string): Promise<SipRequest> {
    await rig.trunks.modify('carrier', { ...PLAIN, ...input });
    const invite = await a.invite('030123', undefined, (request) => {
      if (privacy !== undefined) request.append('Privacy', privacy);
    });
    const atGateway = await gateway.next('INVITE');
    await refuseAndEnd(a, gateway, invite, atGateway);
    await lastRecord();
    return atGateway;
  }

  const headersOf = (request: SipRequest) =>
    ['from', 'p-asserted-identity', 'remote-party-id', 'privacy'].map(
      (name) => request.get(name)?.replace(/;tag=.*/, '') ?? '',
    );

  for (const [what, input, privacy, expected] of [
    ['From alone', {}, undefined, [/^"Li Si" <sip:1001@127\.0\.0\.1(?::\d+)?>/, /^$/, /^$/, /^$/]],
    [
      'the domain that the trunk wants',
      { domain: 'acme.example' },
      undefined,
      [/<sip:1001@acme\.example>/, /^$/, /^$/, /^$/],
    ],
    [
      'RFC 3325 §9.1: P-Asserted-Identity',
      { identity: 'PAI', fromUser: 'acme', domain: 'acme.example' },
      undefined,
      [/<sip:acme@acme\.example>/, /^"Li Si" <sip:1001@acme\.example>$/, /^$/, /^$/],
    ],
    [
      'Remote-Party-ID',
      { identity: 'RPI' },
      undefined,
      [/1001/, /^$/, /^"Li Si" <sip:1001@127\.0\.0\.1>;party=calling;screen=yes;privacy=off$/, /^$/],
    ],
    [
      'RFC 3323 §4.2: a caller that wants privacy, to a trunk that is told nothing',
      {},
      'id',
      [/^"Anonymous" <sip:anonymous@anonymous\.invalid>/, /^$/, /^$/, /^id$/],
    ],
    [
      'RFC 3325 §9.3: a caller that wants privacy, to a trunk of the trust domain',
      { identity: 'BOTH' },
      'id',
      [
        /anonymous\.invalid/,
        /^<sip:1001@127\.0\.0\.1(?::\d+)?>$/,
        /^<sip:1001@127\.0\.0\.1>;party=calling;screen=yes;privacy=full$/,
        /^id$/,
      ],
    ],
    [
      'RFC 3323 §4.1.1.3: a trunk that hides all callers',
      { anonymous: true, identity: 'PAI' },
      undefined,
      [/anonymous\.invalid/, /1001@/, /^$/, /^id$/],
    ],
  ] as const)
    test(what, async () => {
      const found = headersOf(await outgoing(input, privacy));
      for (const [i, pattern] of expected.entries()) assert.match(found[i] ?? '', pattern);
    });

  test('the telephone number of a user is what is shown outside', async () => {
    await rig.users.modify('1001', { phone: '+4930555100' });
    assert.match(headersOf(await outgoing({}))[0] ?? '', /<sip:\+4930555100@/);
    await rig.users.modify('1001', { phone: '' });
  });

  test('numbers are translated both ways', async () => {
    await rig.trunks.modify('carrier', PLAIN);
    for (const rule of [
      { direction: 'OUT', of: 'CALLED', kind: 'PREFIX', match: '0', replace: '+49' },
      { direction: 'OUT', of: 'CALLER', kind: 'REGEX', match: '(1\\d{3})', replace: '+4930555$1' },
      { direction: 'IN', of: 'CALLED', kind: 'REGEX', match: '\\+4930555(1\\d{3})', replace: '$1' },
      { direction: 'IN', of: 'CALLER', kind: 'PREFIX', match: '+49', replace: '0' },
    ] as const)
      await rig.trunks.addRule('carrier', rule);
    const { invite, atGateway } = await reach(a, gateway, '030123');
    assert.match(atGateway.requestUri, /^sip:\+4930123@/);
    assert.match(atGateway.get('to') ?? '', /<sip:\+4930123@127\.0\.0\.1>/);
    assert.match(atGateway.get('from') ?? '', /<sip:\+49305551001@/);
    await refuseAndEnd(a, gateway, invite, atGateway);
    const out = await lastRecord();
    assert.deepEqual([out.dialledNumber, out.calleeNumber], ['030123', '030123']);
    assert.match(out.attempts[0]?.contact ?? '', /sip:\+4930123@/);

    const call = gateway.invitation('+49305551001');
    call.set('From', '"Zhang" <sip:+49407777@carrier.example>;tag=x1');
    gateway.send(call);
    const atA = await a.next('INVITE');
    assert.match(atA.get('from') ?? '', /^"?Zhang"? <sip:0407777@/);
    a.respond(atA, 486);
    gateway.ackRefusal(call, await gateway.response(call, 486));
    const record = await lastRecord();
    assert.deepEqual(
      [record.callerNumber, record.dialledNumber, record.calleeNumber],
      ['0407777', '+49305551001', '1001'],
    );
    for (let i = 0; i < 4; i++) await rig.trunks.removeRule('carrier', 1);
  });

  for (const [what, trustIdentity, header, value, shown] of [
    [
      'is not believed unless the operator says so',
      false,
      'P-Asserted-Identity',
      '"Boss" <sip:+4930999@c>',
      /<sip:other@/,
    ],
    [
      'RFC 3325 §9.1: is taken from P-Asserted-Identity',
      true,
      'P-Asserted-Identity',
      '"Boss" <sip:+4930999@c>',
      /^"Boss" <sip:\+4930999@/,
    ],
    [
      'RFC 3325 §9.1: is taken from a tel: URI',
      true,
      'P-Asserted-Identity',
      '<tel:+49-30-999>',
      /<sip:\+4930999@/,
    ],
    [
      'is taken from Remote-Party-ID',
      true,
      'Remote-Party-ID',
      '"Boss" <sip:+4930999@c>;party=calling',
      /<sip:\+4930999@/,
    ],
  ] as const)
    test(`the identity that a trunk tells ${what}`, async () => {
      await rig.trunks.modify('carrier', { ...PLAIN, trustIdentity });
      const call = gateway.invitation('1001').append(header, value);
      call.set('From', '<sip:other@carrier.example>;tag=y');
      gateway.send(call);
      const atA = await a.next('INVITE');
      assert.match(atA.get('from') ?? '', shown);
      assert.equal(atA.has(header), false);
      a.respond(atA, 486);
      gateway.ackRefusal(call, await gateway.response(call, 486));
      await lastRecord();
    });

  test('RFC 3325 §9.3: Privacy: id of a trunk hides the caller from the phone, the record knows it', async () => {
    await rig.trunks.modify('carrier', { ...PLAIN, trustIdentity: true });
    const call = gateway.invitation('1001').append('P-Asserted-Identity', '<sip:+4930999@c>');
    call.append('Privacy', 'id').set('From', '<sip:anonymous@anonymous.invalid>;tag=z');
    gateway.send(call);
    const atA = await a.next('INVITE');
    assert.match(atA.get('from') ?? '', /anonymous\.invalid/);
    assert.doesNotMatch(atA.headers.map(({ value }) => value).join(' '), /4930999/);
    a.respond(atA, 486);
    gateway.ackRefusal(call, await gateway.response(call, 486));
    assert.equal((await lastRecord()).callerNumber, '+4930999');
  });

  test('a trunk that shows the number of a subscriber has none of its rights', async () => {
    const call = gateway.invitation('*78');
    call.set('From', '<sip:1001@127.0.0.1>;tag=q');
    gateway.send(call);
    gateway.ackRefusal(call, await gateway.response(call, 404));
    assert.equal((await rig.users.view('1001'))?.features?.doNotDisturb, undefined);
    await lastRecord();
  });
});
