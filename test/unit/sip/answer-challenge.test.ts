import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answerChallenge } from '../../../src/sip/answer-challenge.js';
import { parseCredentials } from '../../../src/sip/digest-headers.js';

const MUFASA = { username: 'Mufasa', password: 'Circle of Life' };
const REQUEST = {
  method: 'GET',
  uri: '/dir/index.html',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
};
const PARTS =
  'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';

describe('answers to challenges', () => {
  for (const [algorithm, response] of [
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ] as const)
    test(`RFC 7616 §3.4: the example for ${algorithm}`, () => {
      const answer = answerChallenge([`Digest ${PARTS}, algorithm=${algorithm}`], REQUEST, MUFASA);
      const credentials = parseCredentials(answer?.value ?? '');
      assert.equal(credentials?.response, response);
      assert.deepEqual(
        [credentials?.algorithm, credentials?.qop, credentials?.nc],
        [algorithm, 'auth', '00000001'],
      );
      assert.equal(credentials?.opaque, 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS');
    });

  test('RFC 8760 §2.4: the first that is known counts', () => {
    const challenges = [
      'Digest realm="r", nonce="1", algorithm=FOO',
      'Digest realm="r", nonce="2"',
      'Digest realm="r", nonce="3"',
    ];
    const answer = answerChallenge(challenges, REQUEST, MUFASA);
    assert.equal(parseCredentials(answer?.value ?? '')?.nonce, '2');
  });

  test('RFC 3261 §22.4: without qop there is no nc', () => {
    const answer = answerChallenge(['Digest realm="r", nonce="1"'], REQUEST, MUFASA);
    assert.doesNotMatch(answer?.value ?? '', /nc=|cnonce=|qop=/);
  });

  test('stale is told', () => {
    const answer = answerChallenge(['Digest realm="r", nonce="1", stale=TRUE'], REQUEST, MUFASA);
    assert.equal(answer?.isStale, true);
  });

  for (const value of [
    'Basic realm="r"',
    'Digest realm="r"',
    'Digest realm="r", nonce="1", qop="auth-int"',
    '',
  ])
    test(`no answer to ${value}`, () => assert.equal(answerChallenge([value], REQUEST, MUFASA), undefined));
});
