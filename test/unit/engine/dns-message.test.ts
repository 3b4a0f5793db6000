import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, encode, type Packet } from 'dns-packet';
import {
  createQuery,
  matchReply,
  type Query,
  type Question,
  readAnswer,
  toDnsName,
} from '../../../src/engine/resolve/dns-message.js';
import { DnsError } from '../../../src/engine/resolve/errors.js';
import { DEFAULT_RESOLVE_LIMITS as LIMITS } from '../../../src/engine/resolve/limits.js';

const A: Question = { type: 'A', name: 'a.test' };

function replyTo(query: Query, answers: readonly Answer[], more: Partial<Packet> = {}): Buffer {
  const questions = [{ ...query.question }];
  return encode({ type: 'response', id: query.id, questions, answers: [...answers], ...more });
}

function read(question: Question, answers: readonly Answer[], more: Partial<Packet> = {}) {
  const query = createQuery(question);
  const reply = matchReply(replyTo(query, answers, more), query);
  assert.ok(reply);
  return readAnswer(reply, question, LIMITS);
}

const address = (name: string, data: string, ttl = 60): Answer => ({ type: 'A', name, data, ttl });
const alias = (name: string, data: string, ttl = 60): Answer => ({ type: 'CNAME', name, data, ttl });

test('names are folded, and what cannot be one is refused (RFC 1035 §2.3.4)', () => {
  assert.equal(toDnsName('A.Test.'), 'a.test');
  assert.equal(toDnsName('_sip._udp.a.test'), '_sip._udp.a.test');
  for (const name of ['', '.', 'a..b', '-a', 'a b', 'ä.test', `${'a'.repeat(64)}.test`, 'a.'.repeat(128)])
    assert.equal(toDnsName(name), undefined, name);
});

test('an alias is followed by name, its TTL counts, and a circle has an end', () => {
  const chain = [alias('a.test', 'B.test', 9), alias('b.test', 'c.test'), address('C.TEST', '192.0.2.1', 30)];
  assert.deepEqual(read(A, chain), { records: ['192.0.2.1'], ttlSec: 9, exists: true });
  assert.deepEqual(read(A, [alias('a.test', 'b.test'), alias('b.test', 'a.test')]).records, []);
  assert.deepEqual(read(A, [address('evil.test', '192.0.2.66')]).records, []);
  const long = Array.from({ length: 20 }, (_, i) =>
    alias(i === 0 ? 'a.test' : `n${i}.test`, `n${i + 1}.test`),
  );
  assert.deepEqual(read(A, [...long, address('n20.test', '192.0.2.66')]).records, []);
});

test('RFC 2181 §8: a TTL with its highest bit set is none; others are bounded', () => {
  assert.equal(read(A, [address('a.test', '192.0.2.1', 2 ** 31)]).ttlSec, 0);
  assert.equal(read(A, [address('a.test', '192.0.2.1', 2 ** 31 - 1)]).ttlSec, LIMITS.maxTtlSec);
  assert.equal(read(A, [address('a.test', '192.0.2.1'), address('a.test', '192.0.2.2', 3)]).ttlSec, 3);
});

test('a server that does not know is no answer; one that says there is none is', () => {
  for (const rcode of [1, 2, 4, 5, 9]) assert.throws(() => read(A, [], { flags: rcode }), DnsError);
  assert.deepEqual(read(A, [], { flags: 3 }), { records: [], ttlSec: 30, exists: false });
});

/** Chance that can be repeated. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

test('no octets make a reply that does harm: 4,000 mutations', () => {
  const random = seeded(7);
  const data = {
    order: 1,
    preference: 1,
    flags: 's',
    services: 'SIP+D2U',
    regexp: '',
    replacement: 'b.test',
  };
  const questions: readonly (readonly [Question, readonly Answer[]])[] = [
    [A, [alias('a.test', 'b.test'), address('b.test', '192.0.2.1')]],
    [{ type: 'NAPTR', name: 'a.test' }, [{ type: 'NAPTR', name: 'a.test', ttl: 1, data }]],
    [
      { type: 'SRV', name: '_sip._udp.a.test' },
      [{ type: 'SRV', name: '_sip._udp.a.test', ttl: 1, data: { port: 1, target: 'h.a.test' } }],
    ],
    [{ type: 'AAAA', name: 'a.test' }, [{ type: 'AAAA', name: 'a.test', ttl: 1, data: '2001:db8::1' }]],
  ];
  let matched = 0;
  for (let i = 0; i < 4_000; i++) {
    const [question, answers] = questions[i % questions.length]!;
    const query = createQuery(question);
    let bytes = replyTo(query, answers);
    for (let changes = 1 + random(4); changes > 0; changes--) bytes[random(bytes.length)] = random(256);
    if (random(4) === 0) bytes = bytes.subarray(0, random(bytes.length));
    const reply = matchReply(bytes, query);
    if (!reply) continue;
    matched++;
    try {
      const { records, ttlSec } = readAnswer(reply, question, LIMITS);
      assert.ok(records.length <= 64 && ttlSec >= 0 && ttlSec <= LIMITS.maxTtlSec);
    } catch (error) {
      assert.ok(error instanceof DnsError, String(error));
    }
  }
  assert.ok(matched > 400);
});
