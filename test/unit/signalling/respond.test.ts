import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEngineUrl } from '../../../src/signalling/engine-url.js';
import { parseHostPorts, uriHost } from '../../../src/signalling/hostport.js';
import { cleanHeaderValue, wireHeaders } from '../../../src/signalling/respond.js';
import { sendableStatus } from '../../../src/signalling/status.js';
import { srfMessage } from '../../support/srf-message.js';

test('no value brings a header line of its own with it', () => {
  assert.equal(cleanHeaderValue('a\r\nRoute: <sip:evil>\u0000'), 'a Route: <sip:evil>');
  const headers = wireHeaders({
    Subject: 'x\r\nX: y',
    'Bad Name': 'x',
    'A\r\nB': 'x',
    Expires: 60,
    None: undefined,
  });
  assert.deepEqual(headers, { Subject: 'x X: y', Expires: '60' });
});

test('a list becomes a header line for each element, cleaned each', () => {
  const headers = wireHeaders({ 'WWW-Authenticate': ['Digest a', 'Digest b\r\nX: y'], Empty: [] });
  assert.deepEqual(headers, { 'WWW-Authenticate': 'Digest a\r\nWWW-Authenticate: Digest b X: y' });
  const message = srfMessage(
    `SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: ${headers['WWW-Authenticate']}\r\n\r\n`,
  );
  assert.equal(message.get('www-authenticate'), 'Digest a,Digest b X: y');
});

test('RFC 3261 §8.1.3.2: statuses that cannot be sent become the one they are taken for', () => {
  for (const [status, sent] of [
    [200, 200],
    [481, 481],
    [425, 400],
    [499, 400],
    [599, 500],
    [607, 603],
    [699, 600],
    [150, 183],
    [299, 200],
    [399, 300],
    [0, 500],
  ] as const)
    assert.equal(sendableStatus(status), sent, String(status));
});

test('engine URLs', () => {
  assert.deepEqual(parseEngineUrl('drachtio://:s%40cret@engine.example:9000'), {
    host: 'engine.example',
    port: 9000,
    secret: 's@cret',
    tls: false,
  });
  assert.deepEqual(parseEngineUrl('drachtio+tls://:x@[2001:db8::1]'), {
    host: '2001:db8::1',
    port: 9022,
    secret: 'x',
    tls: true,
  });
  for (const bad of [
    '',
    'embedded',
    'drachtio://host:9022',
    'drachtio://:@host',
    'drachtio://:s@',
    'drachtio://:s@host:0',
    'drachtio://:s@host:65536',
    'drachtio://:s%zz@host',
    'drachtio://:a%7Cb@host',
    'drachtio://:a%0D%0Ab@host',
    'http://:s@host',
  ])
    assert.throws(
      () => parseEngineUrl(bad),
      (error: Error) =>
        'code' in error && error.code === 'ENGINE_URL_INVALID' && !error.message.includes('a%'),
      bad,
    );
});

test('listeners of an engine', () => {
  assert.deepEqual(parseHostPorts('udp/127.0.0.1:5060,tcp/[::1]:5061,wss/a.example:443,bogus,x/y:1'), [
    { protocol: 'udp', address: '127.0.0.1', port: 5060 },
    { protocol: 'tcp', address: '::1', port: 5061 },
    { protocol: 'wss', address: 'a.example', port: 443 },
  ]);
  assert.deepEqual(parseHostPorts(undefined), []);
  assert.equal(uriHost('::1'), '[::1]');
  assert.equal(uriHost('127.0.0.1'), '127.0.0.1');
});
