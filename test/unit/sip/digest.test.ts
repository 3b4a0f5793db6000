import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeResponse, digestsEqual, ha1, parseAlgorithm, userHash } from '../../../src/sip/digest.js';
import {
  chooseChallenge,
  formatChallenge,
  formatCredentials,
  parseChallenges,
  parseCredentials,
} from '../../../src/sip/digest-headers.js';

const MUFASA = {
  method: 'GET',
  uri: '/dir/index.html',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  nc: '00000001',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  qop: 'auth',
} as const;
const REALM = 'http-auth@example.org';

test('RFC 7616 §3.4.1, §6.1, RFC 8760 §2.1: MD5 and SHA-256 vectors', () => {
  const respond = (algorithm: 'MD5' | 'SHA-256'): string =>
    computeResponse({ ...MUFASA, algorithm, ha1: ha1('Mufasa', REALM, 'Circle of Life', algorithm) });
  assert.equal(respond('MD5'), '8ca523f5e9506fed4657c9700eebdbec');
  assert.equal(respond('SHA-256'), '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1');
});

test('RFC 7616 §3.4.4, RFC 5987 §3.2.1: SHA-512-256 with userhash and a name beyond ASCII (values of erratum 4897)', () => {
  const realm = 'api@example.org';
  assert.equal(
    userHash('Jäsøn Doe', realm, 'SHA-512-256'),
    '793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b',
  );
  const response = computeResponse({
    algorithm: 'SHA-512-256',
    ha1: ha1('Jäsøn Doe', realm, 'Secret, or not?', 'SHA-512-256'),
    method: 'GET',
    uri: '/doe.json',
    nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
    nc: '00000001',
    cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
    qop: 'auth',
  });
  assert.equal(response, '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5');
});

test('RFC 2617 §3.2.2: MD5 vector, and the RFC 2069 form without qop', () => {
  const base = {
    algorithm: 'MD5',
    ha1: ha1('Mufasa', 'testrealm@host.com', 'Circle Of Life'),
    method: 'GET',
    uri: '/dir/index.html',
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
  } as const;
  assert.equal(base.ha1, '939e7578ed9e3c518a452acee763bce9');
  assert.equal(
    computeResponse({ ...base, nc: '00000001', cnonce: '0a4f113b', qop: 'auth' }),
    '6629fae49393a05397450978507c4ef1',
  );
  assert.equal(computeResponse(base), '670fd8c2df070c60b045671b8b24ff02');
});

test('RFC 7616 §3.4.2: -sess and auth-int bind more into the response', () => {
  const base = { ...MUFASA, algorithm: 'MD5', ha1: ha1('Mufasa', REALM, 'Circle of Life') } as const;
  const all = [
    computeResponse(base),
    computeResponse({ ...base, isSession: true }),
    computeResponse({ ...base, qop: 'auth-int' }),
    computeResponse({ ...base, qop: 'auth-int', body: Buffer.from('x') }),
  ];
  assert.equal(new Set(all).size, 4);
  // RFC 3261 §22.4 item 9
  assert.equal(all[2], computeResponse({ ...base, qop: 'auth-int', body: Buffer.alloc(0) }));
});

test('RFC 8760 §2.2: algorithm names', () => {
  assert.deepEqual(parseAlgorithm(undefined), { algorithm: 'MD5', isSession: false });
  assert.deepEqual(parseAlgorithm('sha-256'), { algorithm: 'SHA-256', isSession: false });
  assert.deepEqual(parseAlgorithm('SHA-512-256-sess'), { algorithm: 'SHA-512-256', isSession: true });
  for (const name of ['', 'SHA-1', 'AKAv1-MD5', '-sess']) assert.equal(parseAlgorithm(name), undefined, name);
});

test('RFC 8760 §2.4, RFC 7235 §2.1: challenges in one line and in several, best first', () => {
  const one =
    'Digest realm="ims", nonce="n1", algorithm=SHA-512-256, qop="auth,auth-int", Basic realm="x", ' +
    'Digest realm="ims",nonce="n,2",algorithm=MD5 , stale=TRUE, opaque=""';
  const challenges = parseChallenges([
    one,
    'NoOneKnows opaque-data=here',
    'Digest nonce="n3", realm="i\\"m", x=',
  ]);
  assert.deepEqual(
    challenges.map(({ realm, nonce, algorithm, qop, stale }) => [realm, nonce, algorithm, qop, stale]),
    [
      ['ims', 'n1', 'SHA-512-256', ['auth', 'auth-int'], undefined],
      ['ims', 'n,2', 'MD5', undefined, true],
    ],
  );
  const unknown = { realm: 'r', nonce: 'n', algorithm: 'SHA-3' };
  assert.equal(chooseChallenge([unknown, ...challenges])?.choice.algorithm, 'SHA-512-256');
  assert.equal(chooseChallenge([unknown]), undefined);
  for (const challenge of challenges)
    assert.deepEqual(parseChallenges([formatChallenge(challenge)]), [challenge]);
});

const CREDENTIALS =
  'Digest username="al\\"ice\\\\", realm="ims", nonce="n", uri="sip:ims", response="00", algorithm=MD5, ' +
  'cnonce="c", qop=auth, nc=0000000a, opaque="o", future="x, y", other=token';

test('RFC 3261 §20.7: credentials are read and written', () => {
  const credentials = parseCredentials(CREDENTIALS);
  assert.ok(credentials);
  assert.deepEqual(
    [credentials.username, credentials.uri, credentials.qop, credentials.nc, credentials.opaque],
    ['al"ice\\', 'sip:ims', 'auth', '0000000a', 'o'],
  );
  assert.deepEqual(parseCredentials(formatCredentials(credentials)), credentials);
  assert.equal(parseCredentials(CREDENTIALS.replace('Digest', 'dIGEST'))?.realm, 'ims');
  assert.equal(parseCredentials(CREDENTIALS.replace('qop=auth', 'qop="auth"'))?.qop, 'auth');
  const extended = CREDENTIALS.replace(/username="[^,]*,/, "username*=UTF-8''J%C3%A4s%C3%B8n,");
  assert.equal(Buffer.from(parseCredentials(extended)?.username ?? '', 'latin1').toString(), 'Jäsøn');
});

test('RFC 7616 §3.4: credentials that are malformed are refused', () => {
  for (const [what, to] of [
    ['nonce="n"', 'nonce="n", nonce="m"'],
    ['realm="ims"', 'realm="ims", REALM="ims"'],
    ['nc=0000000a', 'nc=a'],
    ['nc=0000000a', 'nc=0000000g'],
    ['nc=0000000a, ', ''],
    ['cnonce="c", ', ''],
    ['response="00", ', ''],
    ['uri="sip:ims", ', ''],
    ['nonce="n", ', ''],
    ['other=token', 'other="open'],
    ['other=token', 'other'],
    ['other=token', 'other=a b'],
    ['Digest', 'Basic'],
    ['Digest ', 'Digest'],
    ['username=', "username*=UTF-8''x, username="],
  ] as const)
    assert.equal(parseCredentials(CREDENTIALS.replace(what, to)), undefined, `${what} -> ${to}`);
  for (const text of ['', 'Digest', 'Digest ', ',', 'Digest ,,,', `${CREDENTIALS}, ${CREDENTIALS}`])
    assert.equal(parseCredentials(text), undefined, text);
});

test('RFC 7616 §5: digests compare without regard to the case of letters', () => {
  assert.equal(digestsEqual('00ff', '00FF'), true);
  assert.equal(digestsEqual('00ff', '00fe'), false);
  assert.equal(digestsEqual('00ff', '00ff0'), false);
  assert.equal(digestsEqual('', ''), true);
});
