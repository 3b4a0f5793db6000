import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Store } from '../../../src/store/types.js';
import { RawTcp, RawUdp } from '../../support/raw-sockets.js';
import { RegisterClient, type RegisterOptions, type Wire } from '../../support/register-client.js';
import { passwordOf, type RegistrarRig, startRegistrarRig } from '../../support/registrar-rig.js';
import { openTempStore } from '../../support/temp-store.js';

let temp: { store: Store; close: () => Promise<void> };
let rig: RegistrarRig;
const opened: { close(): Promise<void> }[] = [];

before(async () => {
  temp = await openTempStore();
  rig = await startRegistrarRig({
    store: temp.store,
    throttle: { perUser: 5, perSource: 1000, windowSec: 300 },
  });
});

after(async () => {
  await rig.close();
  await temp.close();
});

beforeEach(async () => {
  await Promise.all([temp.store.bindings.clear('1001@ims'), temp.store.bindings.clear('1002@ims')]);
  rig.events.length = 0;
  rig.authClock.advance(300_000);
});

afterEach(async () => {
  for (const part of opened.splice(0)) await part.close();
});

async function udpPhone(username = '1001', options: RegisterOptions = {}): Promise<RegisterClient> {
  const socket = await RawUdp.open();
  opened.push(socket);
  const wire: Wire = {
    protocol: 'UDP',
    port: socket.port,
    inbox: socket.inbox,
    send: (text) => socket.send(text, rig.udpPort),
  };
  return new RegisterClient(wire, { username, password: passwordOf(username), ...options });
}

async function tcpPhone(username = '1001'): Promise<RegisterClient> {
  const socket = await RawTcp.connect(rig.tcpPort);
  opened.push(socket);
  const wire: Wire = {
    protocol: 'TCP',
    port: socket.localPort,
    inbox: socket.inbox,
    send: (text) => socket.send(text),
  };
  return new RegisterClient(wire, { username, password: passwordOf(username) });
}

test('RFC 5626 §6, RFC 5626 §4.2.1, RFC 5626 §4.4: a phone with flows is told what was done for it, and how often to show that a connection lives', async () => {
  const phone = await tcpPhone();
  const instance = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-aabbccddeeff>"';
  const contact = `${phone.contact};${instance};reg-id=1`;
  const answer = await phone.register({ contact, headers: ['Supported: outbound', 'Require: outbound'] });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.all('Require'), ['outbound']);
  assert.deepEqual(answer.all('Supported'), ['outbound']);
  assert.deepEqual(answer.all('Flow-Timer'), ['120']);
  assert.ok(answer.all('Contact')[0]?.endsWith(`;${instance};reg-id=1`), answer.text);
  const other = await udpPhone();
  const second = await other.register({
    contact: `${other.contact};${instance};reg-id=2`,
    headers: ['Supported: outbound'],
  });
  assert.equal(second.all('Contact').join().split('reg-id').length, 3, 'two flows');
  assert.deepEqual(second.all('Flow-Timer'), []);
  assert.equal(
    (await rig.registrar.bindings('1001')).length,
    1,
    'RFC 5626 §7: one flow of a phone is called',
  );
  const plain = await (await udpPhone('1002')).register();
  assert.deepEqual(plain.all('Require'), []);
});

test('RFC 8760 §2.3: 401 carries MD5 and SHA-256, each on a line of its own', async () => {
  const phone = await udpPhone();
  const answer = await phone.send();
  assert.equal(answer.status, 401);
  const challenges = answer.all('WWW-Authenticate');
  assert.equal(challenges.length, 2);
  assert.match(challenges[0]!, /^Digest .*algorithm=MD5.*qop="auth"/);
  assert.match(challenges[1]!, /^Digest .*algorithm=SHA-256.*qop="auth"/);
});

for (const algorithm of ['SHA-256', 'MD5'] as const)
  test(`RFC 3261 §10.3, §20.17: registered by ${algorithm}; 200 lists the binding with its time and the date`, async () => {
    const phone = await udpPhone('1001', { algorithm });
    const answer = await phone.register({ expires: 120 });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.all('Contact'), [`${phone.contact};expires=120`]);
    assert.match(answer.all('Date')[0] ?? '', /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
    const [binding] = await rig.registrar.bindings('1001');
    assert.equal(`<${binding?.contact}>`, phone.contact);
    assert.equal(binding?.protocol, 'udp');
    assert.equal(binding?.address, '127.0.0.1');
    assert.equal(binding?.userAgent, 'test-phone/1.0');
    assert.deepEqual(
      rig.events.map((event) => event.kind),
      ['registered'],
    );
  });

test('RFC 3261 §22.2, §22.4: a wrong password, an unknown user: challenged again, nothing bound', async () => {
  for (const [username, password] of [
    ['1001', 'wrong'],
    ['4711', 'wrong'],
  ] as const) {
    const phone = await udpPhone(username, { password });
    const answer = await phone.register();
    assert.equal(answer.status, 401, username);
    assert.doesNotMatch(answer.text, /stale=true/);
    assert.deepEqual(await rig.registrar.bindings(username), []);
  }
});

test('RFC 3261 §10.3 step 4: a user with the right password may not register another’s address', async () => {
  const phone = await udpPhone('1001');
  const answer = await phone.register({ to: 'sip:1002@ims' });
  assert.equal(answer.status, 403);
  assert.deepEqual(await rig.registrar.bindings('1002'), []);
  assert.deepEqual(await rig.registrar.bindings('1001'), []);
  const [event] = rig.events;
  assert.equal(event?.kind === 'refused' && event.status, 403);
});

test('RFC 7616 §5.3: a replayed Authorization is refused, from the same and from another port', async () => {
  const phone = await udpPhone();
  assert.equal((await phone.register()).status, 200);
  const authorization = phone.lastAuthorization;
  const again = await phone.send({ authorization });
  assert.equal(again.status, 401);
  assert.match(again.text, /stale=true/);
  const thief = await udpPhone();
  const stolen = await thief.send({ authorization, contact: '<sip:thief@127.0.0.1:9>' });
  assert.equal(stolen.status, 401);
  assert.equal((await rig.registrar.bindings('1001')).length, 1);
});

test('RFC 7616 §3.4: a nonce serves again with the next count; an old one is stale and the phone goes on', async () => {
  const phone = await udpPhone();
  const challenged = await phone.send();
  assert.equal((await phone.send({ authorization: phone.answer(challenged, {}, '00000001') })).status, 200);
  assert.equal((await phone.send({ authorization: phone.answer(challenged, {}, '00000002') })).status, 200);
  rig.authClock.advance(300_000);
  const stale = await phone.send({ authorization: phone.answer(challenged, {}, '00000003') });
  assert.equal(stale.status, 401);
  assert.equal(phone.challenge(stale).stale, true);
  assert.equal((await phone.send({ authorization: phone.answer(stale) })).status, 200);
});

test('guessing is throttled by user and source; others at the source go on', async () => {
  const guesser = await udpPhone('1001', { password: 'guess' });
  for (let i = 0; i < 5; i++) assert.equal((await guesser.register()).status, 401);
  assert.equal((await guesser.register()).status, 403);
  const owner = await udpPhone('1001');
  assert.equal((await owner.register()).status, 403, 'not even the right password, for a while');
  const neighbour = await udpPhone('1002');
  assert.equal((await neighbour.register()).status, 200);
  rig.authClock.advance(300_000);
  assert.equal((await owner.register()).status, 200);
});

test('a user that is suspended is refused with 403', async () => {
  await rig.users.modify('1002', { status: 'SUSPENDED' });
  try {
    assert.equal((await (await udpPhone('1002')).register()).status, 403);
  } finally {
    await rig.users.modify('1002', { status: 'ACTIVE' });
  }
});

test('RFC 3261 §10.3 step 7: too brief an interval is 423 with Min-Expires, too long one is cut', async () => {
  const phone = await udpPhone();
  const brief = await phone.register({ expires: 30 });
  assert.equal(brief.status, 423);
  assert.deepEqual(brief.all('Min-Expires'), ['60']);
  assert.deepEqual(await rig.registrar.bindings('1001'), []);
  const long = await phone.register({ expires: 86_400 });
  assert.deepEqual(long.all('Contact'), [`${phone.contact};expires=3600`]);
});

test('RFC 3261 §10.2.2: Contact * with Expires 0 ends all bindings; otherwise it is a 400', async () => {
  const [one, two] = [await udpPhone(), await udpPhone()];
  await one.register();
  await two.register();
  assert.equal((await one.register({ contact: '*' })).status, 400);
  assert.equal((await one.register({ contact: '*', expires: 60 })).status, 400);
  assert.equal((await one.register({ contact: ['*', one.contact], expires: 0 })).status, 400);
  assert.equal((await rig.registrar.bindings('1001')).length, 2);
  const answer = await one.register({ contact: '*', expires: 0 });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.all('Contact'), []);
  assert.deepEqual(await rig.registrar.bindings('1001'), []);
});

test('RFC 3261 §10.2.3: without Contact the bindings are told and nothing changes', async () => {
  const phone = await udpPhone();
  await phone.register({ expires: 600 });
  const other = await udpPhone();
  const answer = await other.register({ contact: '', expires: 0 });
  assert.equal(answer.status, 200);
  assert.deepEqual(
    answer.all('Contact').map((value) => value.replace(/=\d+$/, '=N')),
    [`${phone.contact};expires=N`],
  );
});

test('RFC 3261 §10.3: several phones of a user are bound side by side; each may go alone', async () => {
  const [desk, soft, mobile] = [await udpPhone(), await udpPhone(), await tcpPhone()];
  for (const phone of [desk, soft, mobile]) assert.equal((await phone.register()).status, 200);
  const bindings = await rig.registrar.bindings('1001');
  assert.equal(bindings.length, 3);
  assert.deepEqual(bindings.map((binding) => binding.protocol).sort(), ['tcp', 'udp', 'udp']);
  const left = await soft.register({ expires: 0 });
  assert.deepEqual(
    left
      .all('Contact')
      .map((value) => value.replace(/;.*/, ''))
      .sort(),
    [desk.contact, mobile.contact].sort(),
  );
});

test('several contacts in one REGISTER, in one line and in many, each with its own time and preference', async () => {
  const phone = await udpPhone();
  const answer = await phone.register({
    contact: ['<sip:a@10.0.0.1>;q=0.4;expires=100, "B, C" <sip:b@10.0.0.2>;q=0.9', '<sip:c@10.0.0.3:5070>'],
    expires: 200,
  });
  assert.deepEqual(answer.all('Contact').sort(), [
    '<sip:a@10.0.0.1>;q=0.4;expires=100',
    '<sip:b@10.0.0.2>;q=0.9;expires=200',
    '<sip:c@10.0.0.3:5070>;expires=200',
  ]);
  const order = (await rig.registrar.bindings('1001')).map((binding) => binding.contact);
  assert.deepEqual(order, ['sip:c@10.0.0.3:5070', 'sip:b@10.0.0.2', 'sip:a@10.0.0.1']);
});

test('a phone behind another source port refreshes its binding; the new way back is kept', async () => {
  const phone = await udpPhone();
  await phone.register();
  const [before] = await rig.registrar.bindings('1001');
  const moved = await udpPhone();
  const answer = await moved.register({ contact: phone.contact });
  assert.equal(answer.all('Contact').length, 1);
  const [after] = await rig.registrar.bindings('1001');
  assert.equal(after?.contact, before?.contact);
  assert.notEqual(after?.port, before?.port);
  assert.equal(rig.events.at(-1)?.kind, 'changed');
});

test('RFC 3261 §7.3.3: a REGISTER in compact form and odd spelling is understood', async () => {
  const phone = await udpPhone();
  const challenged = await phone.send({ contact: '' });
  const answer = await phone.send({
    contact: '',
    authorization: phone.answer(challenged),
    headers: ['m: <sip:1001@10.0.0.9>', 'eXpIrEs:  90'],
  });
  assert.deepEqual(answer.all('Contact'), ['<sip:1001@10.0.0.9>;expires=90']);
});

test('RFC 3261 §8.2.2, §20.32: what is not for us or asks what we cannot do is refused before any challenge', async () => {
  const phone = await udpPhone();
  const extension = await phone.send({ headers: ['Require: path, foo'] });
  assert.equal(extension.status, 420);
  assert.deepEqual(extension.all('Unsupported'), ['foo']);
  assert.equal((await phone.send({ requestUri: 'sip:elsewhere.example' })).status, 404);
  assert.equal((await phone.send({ requestUri: 'tel:+123' })).status, 416);
});

test('RFC 3261 §10.3 step 5: an address of another domain is not found; one at our IP is ours', async () => {
  const phone = await udpPhone();
  assert.equal((await phone.register({ to: 'sip:1001@elsewhere.example' })).status, 404);
  assert.equal((await phone.register({ to: 'sip:1001@127.0.0.1', requestUri: 'sip:127.0.0.1' })).status, 200);
});

test('what strangers send is told to nobody, a user’s repeated refusal once', async () => {
  const stranger = await udpPhone('4711');
  await stranger.register();
  await stranger.send({ requestUri: 'sip:elsewhere.example' });
  assert.equal(rig.events.length, 0);
  const phone = await udpPhone();
  for (let i = 0; i < 3; i++) await phone.register({ expires: 5 });
  await phone.register();
  await phone.register({ expires: 5 });
  assert.deepEqual(
    rig.events.map((event) => event.kind),
    ['refused', 'registered', 'refused'],
  );
});

test('RFC 3261 §10.3 step 7: a REGISTER that overtook a later one changes nothing', async () => {
  const phone = await udpPhone();
  await phone.register({ expires: 600 });
  phone.cseq -= 2;
  const late = await phone.register({ expires: 0 });
  assert.equal(late.status, 400);
  assert.equal((await rig.registrar.bindings('1001')).length, 1);
});

test('many phones of one user at the same moment: none is lost', async () => {
  const phones = await Promise.all(Array.from({ length: 8 }, () => udpPhone()));
  const answers = await Promise.all(phones.map((phone) => phone.register()));
  assert.deepEqual(
    answers.map((answer) => answer.status),
    Array(8).fill(200),
  );
  assert.equal((await rig.registrar.bindings('1001')).length, 8);
});

test('contacts that are no address are refused with 400 and the server goes on', async () => {
  const phone = await udpPhone();
  for (const contact of ['<mailto:a@b.c>', '<sip:>', `<sip:${'x'.repeat(2000)}@a>`])
    assert.equal((await phone.register({ contact })).status, 400, contact.slice(0, 40));
  assert.equal((await phone.register()).status, 200);
});

test('an operator’s word ends all bindings; the lists show who is where', async () => {
  await (await udpPhone('1001')).register();
  await (await udpPhone('1001')).register();
  await (await udpPhone('1002')).register();
  assert.deepEqual(await rig.registrar.count(), { users: 2, bindings: 3 });
  const first = await rig.registrar.list({ limit: 1 });
  assert.deepEqual(
    first.map((entry) => [entry.username, entry.bindings.length]),
    [['1001', 2]],
  );
  const rest = await rig.registrar.list({ after: '1001' });
  assert.deepEqual(
    rest.map((entry) => entry.username),
    ['1002'],
  );
  rig.events.length = 0;
  assert.equal(await rig.registrar.remove('1001'), 2);
  assert.deepEqual(await rig.registrar.bindings('1001'), []);
  assert.deepEqual(
    rig.events.map((event) => event.kind),
    ['removed', 'removed'],
  );
});

test('bindings survive a restart', async () => {
  const phone = await udpPhone();
  await phone.register();
  const before = await rig.registrar.bindings('1001');
  await rig.close();
  rig = await startRegistrarRig({ store: temp.store });
  assert.deepEqual(await rig.registrar.bindings('1001'), before);
});
