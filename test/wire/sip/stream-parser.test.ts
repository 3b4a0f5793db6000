import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipParseError } from '../../../src/sip/errors.js';
import { serialize } from '../../../src/sip/serialize.js';
import { StreamParser } from '../../../src/sip/stream-parser.js';
import { seeded } from '../../fixtures/sip/random.js';
import { clerr, mismatch01, ncl } from '../../fixtures/sip/rfc4475-invalid.js';
import { dblreq, mpart01, noreason, wsinv } from '../../fixtures/sip/rfc4475-valid.js';
import { sip } from '../../fixtures/sip/sip-text.js';
import { leastMs } from '../../support/least-time.js';

/** Pushes chunks and writes down what comes out, a line an event. */
function run(chunks: Iterable<Buffer>, limits?: { maxHeaderBytes: number; maxMessageBytes: number }) {
  const events: string[] = [];
  const errors: SipParseError[] = [];
  const parser = new StreamParser(
    {
      onMessage(message, sizeBytes) {
        const what = message.type === 'request' ? message.method : message.statusCode;
        events.push(`${what} ${message.callId} ${message.body.length} ${sizeBytes}`);
      },
      onPing: () => events.push('ping'),
      onError(error, isFatal) {
        events.push(`${isFatal ? 'fatal' : 'error'} ${error.statusCode} ${error.reasonPhrase}`);
        errors.push(error);
      },
    },
    limits,
  );
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk);
    parser.push(reused);
    reused.fill(0);
  }
  return { events, errors, parser };
}

function* cut(bytes: Buffer, sizeOf: () => number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const size = sizeOf();
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const PING = Buffer.from('\r\n\r\n');
const PONG = Buffer.from('\r\n');
/** The one message of dblreq: on a stream what follows it would be a second one. */
const register = dblreq.subarray(0, dblreq.indexOf('INVITE'));
const STREAM = Buffer.concat([PING, wsinv, PONG, mpart01, noreason, PING, PING, register, wsinv]);
test('RFC 3261 §18.3: a stream gives the same messages however it is cut', () => {
  const whole = run([STREAM]);
  assert.deepEqual(
    whole.events.map((event) => event.split(' ')[0]),
    ['ping', 'INVITE', 'MESSAGE', '100', 'ping', 'ping', 'REGISTER', 'INVITE'],
  );
  assert.equal(whole.parser.pendingBytes, 0);
  assert.deepEqual(run(cut(STREAM, () => 1)).events, whole.events, 'byte by byte');
  for (let at = 1; at < STREAM.length; at++)
    assert.deepEqual(run([STREAM.subarray(0, at), STREAM.subarray(at)]).events, whole.events, `cut at ${at}`);
});

test('RFC 3261 §18.3: random cuts', () => {
  const random = seeded(7);
  const { events } = run([STREAM]);
  for (let i = 0; i < 200; i++)
    assert.deepEqual(run(cut(STREAM, () => 1 + Math.floor(random() * 400))).events, events, `run ${i}`);
});

test('RFC 3261 §20.14: a message without Content-Length ends the stream', () => {
  const bytes = Buffer.from(noreason.toString().replace(/Content-Length.*\r\n/, ''));
  const { events, errors, parser } = run([bytes, wsinv]);
  assert.deepEqual(events, ['fatal 400 Missing Content-Length Header']);
  assert.equal(errors[0]?.isResponse, true);
  assert.equal(parser.isDead, true);
  assert.equal(parser.pendingBytes, 0);
});

test('RFC 4475 §3.1.2.3: a negative Content-Length is answered and ends the stream', () => {
  const { events, errors } = run([ncl, wsinv]);
  assert.deepEqual(events, ['fatal 400 Bad Content-Length Header']);
  assert.equal(errors[0]?.request?.callId, 'ncl.0ha0isndaksdj2193423r542w35');
});

test('RFC 4475 §3.1.2.2: a message that is too short waits for more', () => {
  const { events, parser } = run([clerr]);
  assert.deepEqual(events, []);
  assert.equal(parser.pendingBytes, clerr.length);
});

test('RFC 3261 §8.2: a message wrong in itself does not end the stream', () => {
  const { events } = run([Buffer.concat([mismatch01, noreason])]);
  assert.deepEqual(
    events.map((event) => event.split(' ').slice(0, 2).join(' ')),
    ['error 400', '100 noreason.asndj203insdf99223ndf'],
  );
});

test('framing does not depend on what is wrong inside the head', () => {
  const smuggled = sip`
OPTIONS sip:a@b SIP/2.0
Content-Length: 0
${Array(300).fill('X: y').join('\n')}

`;
  const { events } = run([Buffer.concat([smuggled, noreason])]);
  assert.deepEqual(
    events.map((event) => event.split(' ')[0]),
    ['error', '100'],
  );
});

test('RFC 3261 §21.5.7: bounds of header section, message and what cannot be SIP', () => {
  const limits = { maxHeaderBytes: 1000, maxMessageBytes: 1200 };
  const endless = function* (): Generator<Buffer> {
    for (let i = 0; i < 100; i++) yield Buffer.from('X: yyyyyyyyyyyyyyyyyyyyyyy\r\n');
  };
  const long = run(endless(), limits);
  assert.deepEqual(long.events, ['fatal 513 Message Too Large']);
  assert.deepEqual(run([wsinv], limits).events.length, 1);
  const huge = run([Buffer.from(wsinv.toString().replace('150', '4294967295'))], limits);
  assert.deepEqual(huge.events, ['fatal 413 Request Entity Too Large']);
  assert.equal(huge.errors[0]?.request?.method, 'INVITE');
  const hello = run([Buffer.from([0x16, 3, 1, 2, 0])]);
  assert.deepEqual(hello.events, ['fatal 400 Bad Start Line']);
  assert.equal(hello.errors[0]?.request, undefined);
});

test('bounds: byte by byte delivery of a large message is linear', () => {
  const body = 'x'.repeat(60_000);
  const bytes = Buffer.from(
    wsinv
      .toString()
      .replace('150', '60000')
      .replace(/\r\n\r\n[\s\S]*/, `\r\nP: ${'p'.repeat(40_000)}\r\n\r\n${body}`),
  );
  const least = leastMs(1500, () => {
    const { events } = run(cut(bytes, () => 1));
    assert.match(events[0] ?? '', /^INVITE wsinv\S+ 60000 /);
  });
  assert.ok(least < 1500);
});

test('close() from a callback stops at once', () => {
  let count = 0;
  const parser: StreamParser = new StreamParser({
    onMessage() {
      count++;
      parser.close();
    },
    onPing() {},
    onError: () => assert.fail('no error'),
  });
  parser.push(Buffer.concat([noreason, noreason]));
  parser.push(noreason);
  assert.equal(count, 1);
});

test('RFC 3261 §18.3: what serialize writes, a stream reads', () => {
  const seen: Buffer[] = [];
  const parser = new StreamParser({
    onMessage: (message) => seen.push(serialize(message)),
    onPing() {},
    onError: (error) => assert.fail(error.reasonPhrase),
  });
  parser.push(wsinv);
  parser.push(seen[0]!);
  assert.deepEqual(seen[1], seen[0]);
});
