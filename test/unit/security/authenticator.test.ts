import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { toHa1 } from '../../../src/accounts/ha1.js';
import type { User } from '../../../src/accounts/types.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { AuthThrottle } from '../../../src/security/auth-throttle.js';
import { Authenticator } from '../../../src/security/authenticator.js';
import type { HeldAlgorithm } from '../../../src/security/credentials.js';
import { Nonces } from '../../../src/security/nonces.js';
import { LocalNames } from '../../../src/signalling/local-names.js';
import type { Protocol } from '../../../src/signalling/types.js';
import { ManualClock } from '../../support/manual-clock.js';

const REALM = 'ims';
const PEER = { address: '192.0.2.1' };

function user(username: string, password: string, more: Partial<User> = {}): User {
  return {
    username,
    realm: REALM,
    ha1: toHa1(username, REALM, password),
    displayName: '',
    phone: '',
    email: '',
    status: 'ACTIVE',
    serviceType: 'BASIC',
    createdAt: 0,
    updatedAt: 0,
    ...more,
  };
}

function setUp(algorithms?: readonly HeldAlgorithm[]) {
  const clock = new ManualClock();
  const known = new Map([
    ['1001', user('1001', 'secret1')],
    ['1003', user('1003', 'secret3', { status: 'SUSPENDED' })],
    ['1004', user('1004', 'secret4', { realm: 'elsewhere' })],
    ['jürgen', user('jürgen', 'grüße')],
  ]);
  const nonces = new Nonces({ secret: randomBytes(32), clock });
  const seen: string[] = [];
  const authenticator = new Authenticator({
    realm: REALM,
    users: { authData: async (name) => known.get(name) },
    names: new LocalNames(['ims', '192.0.2.100']),
    nonces,
    throttle: new AuthThrottle({ perUser: 3, perSource: 50, windowSec: 60 }, clock),
    observer: {
      accepted: (address) => seen.push(`${address} accepted`),
      guessed: (address, kind, isConnected) => seen.push(`${address} ${kind} ${isConnected}`),
      unauthenticated: (address, isProven) => seen.push(`${address} unauthenticated ${isProven}`),
    },
    log: silentLogger,
    ...(algorithms && { algorithms }),
  });
  return { clock, nonces, authenticator, seen };
}

interface Answer {
  username: string;
  password: string;
  nonce: string;
  algorithm?: string;
  nc?: number;
  uri?: string;
  method?: string;
  realm?: string;
  withoutQop?: boolean;
}

/** Credentials worked out here by RFC 7616 §3.4.1 alone. */
function answer(options: Answer): string {
  const {
    username,
    password,
    nonce,
    algorithm,
    uri = 'sip:ims',
    method = 'REGISTER',
    realm = REALM,
  } = options;
  const h = (text: string): string =>
    createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
      .update(text, 'utf8')
      .digest('hex');
  const nc = (options.nc ?? 1).toString(16).padStart(8, '0');
  const [a1, a2] = [h(`${username}:${realm}:${password}`), h(`${method}:${uri}`)];
  const response = options.withoutQop
    ? h(`${a1}:${nonce}:${a2}`)
    : h(`${a1}:${nonce}:${nc}:c0ffee:auth:${a2}`);
  const qop = options.withoutQop ? '' : `, qop=auth, nc=${nc}, cnonce="c0ffee"`;
  const name = algorithm === undefined ? '' : `, algorithm=${algorithm}`;
  return `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}"${name}${qop}`;
}

const request = (credentials: string | undefined, requestUri = 'sip:ims', method = 'REGISTER') => ({
  method,
  requestUri,
  credentials,
  peer: PEER,
});

test('RFC 8760 §2.3: one challenge an algorithm, in the order configured, qop="auth", one nonce', () => {
  const { authenticator } = setUp();
  const values = authenticator.challenge('www', PEER.address, false)['WWW-Authenticate']!;
  assert.equal(values.length, 2);
  assert.match(values[0]!, /^Digest realm="ims", nonce="[\w-]{40}", algorithm=MD5, qop="auth"$/);
  assert.match(values[1]!, /^Digest realm="ims", nonce="[\w-]{40}", algorithm=SHA-256, qop="auth"$/);
  assert.deepEqual(Object.keys(authenticator.challenge('proxy', PEER.address, true)), ['Proxy-Authenticate']);
  assert.match(authenticator.challenge('proxy', PEER.address, true)['Proxy-Authenticate']![0]!, /stale=true/);
  const modern = setUp(['SHA-256', 'MD5']).authenticator;
  assert.match(modern.challenge('www', PEER.address, false)['WWW-Authenticate']![0]!, /SHA-256/);
});

test('a client that can read one challenge only gets MD5 alone, unless MD5 is not offered', () => {
  const offer = (algorithms: readonly ('MD5' | 'SHA-256')[], userAgent: string): string[] =>
    setUp(algorithms)
      .authenticator.challenge('www', PEER.address, false, userAgent)
      ['WWW-Authenticate']!.map((value) => /algorithm=([^,]+)/.exec(value)![1]!);
  assert.deepEqual(offer(['MD5', 'SHA-256'], 'baresip v1.0.0 (x86_64/linux)'), ['MD5']);
  assert.deepEqual(offer(['SHA-256', 'MD5'], 'baresip v3.8.0'), ['SHA-256', 'MD5']);
  assert.deepEqual(offer(['SHA-256'], 'baresip v1.0.0'), ['SHA-256']);
});

test('an algorithm that is not offered is not taken', async () => {
  const { authenticator, nonces } = setUp(['SHA-256']);
  const [username, password] = ['1001', 'secret1'];
  const md5 = answer({ username, password, nonce: nonces.issue(PEER.address), algorithm: 'MD5' });
  assert.equal((await authenticator.verify(request(md5))).ok, false);
  const sha = answer({ username, password, nonce: nonces.issue(PEER.address), algorithm: 'SHA-256' });
  assert.equal((await authenticator.verify(request(sha))).ok, true);
});

for (const algorithm of ['SHA-256', 'sha-256', 'MD5', undefined]) {
  test(`RFC 7616 §3.4.1: a right answer with algorithm ${algorithm} is taken`, async () => {
    const { authenticator, nonces } = setUp();
    const credentials = answer({
      username: '1001',
      password: 'secret1',
      nonce: nonces.issue(PEER.address),
      ...(algorithm && { algorithm: algorithm.toUpperCase() }),
    }).replace('SHA-256', algorithm ?? '');
    const outcome = await authenticator.verify(request(credentials));
    assert.ok(outcome.ok);
    assert.equal(outcome.user.username, '1001');
  });
}

test('wrong password, unknown user, another realm’s user: all the same failure, never stale', async () => {
  const { authenticator, nonces } = setUp();
  for (const [username, password] of [
    ['1001', 'wrong'],
    ['nobody', 'wrong'],
    ['1004', 'secret4'],
  ] as const)
    for (const algorithm of ['MD5', 'SHA-256']) {
      const nonce = nonces.issue(PEER.address);
      const outcome = await authenticator.verify(request(answer({ username, password, nonce, algorithm })));
      assert.deepEqual(outcome, { ok: false, failure: 'wrong-credentials', stale: false, username });
    }
});

test('the method is part of the digest', async () => {
  const { authenticator, nonces } = setUp();
  const credentials = answer({ username: '1001', password: 'secret1', nonce: nonces.issue(PEER.address) });
  const outcome = await authenticator.verify(request(credentials, 'sip:ims', 'INVITE'));
  assert.equal(outcome.ok || outcome.failure, 'wrong-credentials');
});

test('RFC 7616 §5.3: the same Authorization is not taken twice', async () => {
  const { authenticator, nonces } = setUp();
  const nonce = nonces.issue(PEER.address);
  const credentials = answer({ username: '1001', password: 'secret1', nonce });
  assert.ok((await authenticator.verify(request(credentials))).ok);
  const again = await authenticator.verify(request(credentials));
  assert.deepEqual(again, { ok: false, failure: 'replayed', stale: true, username: '1001' });
  const next = answer({ username: '1001', password: 'secret1', nonce, nc: 2 });
  assert.ok((await authenticator.verify(request(next))).ok, 'the next count is');
});

test('two copies of one Authorization at the same time: one is taken', async () => {
  const { authenticator, nonces } = setUp();
  const credentials = answer({ username: '1001', password: 'secret1', nonce: nonces.issue(PEER.address) });
  const outcomes = await Promise.all([1, 2, 3].map(() => authenticator.verify(request(credentials))));
  assert.equal(outcomes.filter((outcome) => outcome.ok).length, 1);
});

test('RFC 7616 §3.3: an old nonce with the right digest is stale, with a wrong one it is just wrong', async () => {
  const { authenticator, nonces, clock } = setUp();
  const nonce = nonces.issue(PEER.address);
  clock.advance(300_000);
  const right = await authenticator.verify(request(answer({ username: '1001', password: 'secret1', nonce })));
  assert.deepEqual(right, { ok: false, failure: 'stale-nonce', stale: true, username: '1001' });
  const wrong = await authenticator.verify(request(answer({ username: '1001', password: 'x', nonce })));
  assert.deepEqual(wrong, { ok: false, failure: 'wrong-credentials', stale: false, username: '1001' });
});

test('a nonce that is not ours tells nothing about the password and counts against nobody', async () => {
  const { authenticator } = setUp();
  for (const password of ['secret1', 'a', 'b', 'c', 'd', 'e']) {
    const outcome = await authenticator.verify(
      request(answer({ username: '1001', password, nonce: 'A'.repeat(40) })),
    );
    assert.deepEqual(outcome, { ok: false, failure: 'stale-nonce', stale: true, username: '1001' });
  }
});

test('a nonce given to another address is not taken', async () => {
  const { authenticator, nonces } = setUp();
  const credentials = answer({ username: '1001', password: 'secret1', nonce: nonces.issue('192.0.2.66') });
  const outcome = await authenticator.verify(request(credentials));
  assert.equal(outcome.ok || outcome.failure, 'stale-nonce');
});

test('RFC 2617 §3.2.2: a client without qop may use a nonce once', async () => {
  const { authenticator, nonces } = setUp();
  const credentials = answer({
    username: '1001',
    password: 'secret1',
    nonce: nonces.issue(PEER.address),
    withoutQop: true,
  });
  assert.ok((await authenticator.verify(request(credentials))).ok);
  const again = await authenticator.verify(request(credentials));
  assert.equal(again.ok || again.failure, 'replayed');
});

test('a user that is not ACTIVE is told so only with the right password', async () => {
  const { authenticator, nonces } = setUp();
  const nonce = (): string => nonces.issue(PEER.address);
  const right = await authenticator.verify(
    request(answer({ username: '1003', password: 'secret3', nonce: nonce() })),
  );
  assert.equal(right.ok || right.failure, 'inactive');
  const wrong = await authenticator.verify(
    request(answer({ username: '1003', password: 'x', nonce: nonce() })),
  );
  assert.equal(wrong.ok || wrong.failure, 'wrong-credentials');
});

test('guessing is throttled, and then even the right password does not help', async () => {
  const { authenticator, nonces, clock } = setUp();
  const attempt = async (password: string): Promise<string> => {
    const nonce = nonces.issue(PEER.address);
    const outcome = await authenticator.verify(request(answer({ username: '1001', password, nonce })));
    return outcome.ok ? 'ok' : outcome.failure;
  };
  for (let i = 0; i < 3; i++) assert.equal(await attempt(`guess${i}`), 'wrong-credentials');
  assert.equal(await attempt('secret1'), 'throttled');
  clock.advance(60_000);
  assert.equal(await attempt('secret1'), 'ok');
  assert.equal(authenticator.counters.throttled, 1);
});

test('RFC 3261 §22.4, RFC 7616 §3.4.6: which digest URI stands for which Request-URI', async () => {
  const { authenticator, nonces } = setUp();
  const cases: [digested: string, requested: string, taken: boolean][] = [
    ['sip:ims', 'sip:ims', true],
    ['sip:IMS', 'sip:ims', true],
    ['sip:192.0.2.100:5060', 'sip:1002@ims', true],
    ['sip:1002@192.0.2.100', 'sip:1002@ims;transport=tcp', true],
    ['sip:1003@ims', 'sip:1002@ims', false],
    ['sip:elsewhere', 'sip:ims', false],
    ['sip:1002@elsewhere', 'sip:1002@elsewhere:5070', true],
    ['nonsense', 'sip:ims', false],
  ];
  for (const [uri, requestUri, taken] of cases) {
    const nonce = nonces.issue(PEER.address);
    const credentials = answer({ username: '1001', password: 'secret1', nonce, uri });
    const outcome = await authenticator.verify(request(credentials, requestUri));
    assert.equal(outcome.ok ? 'ok' : outcome.failure, taken ? 'ok' : 'uri-mismatch', `${uri} ${requestUri}`);
  }
});

test('RFC 3261 §22.3: of several credentials those for our realm are used, the best algorithm first', async () => {
  const { authenticator, nonces } = setUp();
  const nonce = nonces.issue(PEER.address);
  const other = answer({ username: 'x', password: 'y', nonce: 'n', realm: 'other' });
  const md5 = answer({ username: '1001', password: 'wrong', nonce, algorithm: 'MD5' });
  const sha = answer({ username: '1001', password: 'secret1', nonce, algorithm: 'SHA-256' });
  assert.ok((await authenticator.verify(request(`${other},${md5},${sha}`))).ok);
  const foreign = await authenticator.verify(request(other));
  assert.equal(foreign.ok || foreign.failure, 'no-credentials');
});

test('credentials that cannot be used are a failure, never a throw', async () => {
  const { authenticator, nonces } = setUp();
  const nonce = nonces.issue(PEER.address);
  const good = answer({ username: '1001', password: 'secret1', nonce });
  const broken = [
    '',
    'Digest',
    'Basic dXNlcjpwYXNz',
    'Digest username="1001"',
    good.replace('qop=auth', 'qop=auth-int'),
    good.replace('nc=00000001', 'nc=00000000'),
    good.replace('nc=00000001', 'nc=1'),
    good.replace('qop=auth', 'algorithm=MD5-sess, qop=auth'),
    good.replace('qop=auth', 'algorithm=SHA-512-256, qop=auth'),
    good.replace('qop=auth', 'algorithm=CRC32, qop=auth'),
    good.replace(/response="[^"]*"/, 'response="zz"'),
    good.replace(/response="[^"]*"/, 'response=""'),
    `${good}, username="1002"`,
    ','.repeat(5000),
    `Digest ${'a="b",'.repeat(3000)}`,
    '"'.repeat(1000),
  ];
  for (const credentials of broken) {
    const outcome = await authenticator.verify(request(credentials));
    assert.equal(outcome.ok, false, credentials.slice(0, 60));
  }
  const random = randomBytes(4000).toString('latin1');
  for (let at = 0; at < 4000; at += 100)
    assert.equal((await authenticator.verify(request(`Digest ${random.slice(at, at + 100)}`))).ok, false);
});

test('RFC 7616 §4: names outside ASCII are digested as UTF-8', async () => {
  const { authenticator, nonces } = setUp();
  for (const algorithm of ['MD5', 'SHA-256']) {
    const nonce = nonces.issue(PEER.address);
    const outcome = await authenticator.verify(
      request(answer({ username: 'jürgen', password: 'grüße', nonce, algorithm })),
    );
    assert.ok(outcome.ok, algorithm);
  }
});

test('who guesses is told with its address only when that is proven by our nonce', async () => {
  const { authenticator, clock, nonces, seen } = setUp();
  const show = (
    username: string,
    password: string,
    nonce = nonces.issue(PEER.address),
    protocol: Protocol = 'udp',
  ) =>
    authenticator.verify({
      ...request(answer({ username, password, nonce })),
      peer: { ...PEER, protocol },
    });
  await show('1001', 'guess', 'forged');
  await show('1001', 'guess', nonces.issue('192.0.2.9'));
  const old = nonces.issue(PEER.address);
  clock.advance(300_000);
  await show('1001', 'guess', old);
  assert.equal(seen.length, 0);
  await authenticator.verify(request(undefined));
  await authenticator.verify({ ...request(undefined), peer: { ...PEER, protocol: 'tls' } });
  await show('nobody', 'guess', nonces.issue(PEER.address), 'tcp');
  for (let i = 0; i < 4; i++) await show('1003', 'guess');
  await show('1001', 'secret1');
  assert.deepEqual(
    seen.map((line) => line.replace('192.0.2.1 ', '')),
    [
      'unauthenticated false',
      'unauthenticated true',
      'name true',
      'password false',
      'password false',
      'password false',
      'throttled false',
      'accepted',
    ],
  );
});
