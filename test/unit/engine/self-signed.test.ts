import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSelfSigned } from '../../../src/engine/transport/tls/self-signed.js';
import { missing, runToEnd } from '../../support/peers.js';

const NOW_MS = Date.parse('2026-03-04T05:06:07Z');
const NAMES = ['host.example', 'localhost', '192.0.2.1', '2001:db8::1'];

test('RFC 5280 §4.1, RFC 5280 §4.2.1.6: a self-signed certificate is for its names, of its key, valid from the day before', () => {
  const { certificate, key } = createSelfSigned(NAMES, NOW_MS);
  const parsed = new X509Certificate(certificate);
  assert.equal(parsed.subject, 'CN=host.example');
  assert.equal(parsed.issuer, parsed.subject);
  assert.equal(
    parsed.subjectAltName,
    'DNS:host.example, DNS:localhost, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1',
  );
  assert.equal(parsed.validFrom, 'Mar  3 05:06:07 2026 GMT');
  assert.equal(parsed.validTo, 'Jun  5 05:06:07 2028 GMT');
  assert.equal(parsed.ca, false);
  assert.ok(parsed.verify(parsed.publicKey));
  assert.ok(parsed.checkPrivateKey(createPrivateKey(key)));
  assert.equal(parsed.checkIP('2001:db8::1'), '2001:db8::1');
  assert.equal(parsed.checkHost('other.example'), undefined);
});

test('RFC 5280 §4.1.2.5: from 2050 on its end is a GeneralizedTime', () => {
  const { certificate } = createSelfSigned(['h'], Date.parse('2049-06-01T00:00:00Z'));
  const { validFrom, validTo } = new X509Certificate(certificate);
  assert.deepEqual([validFrom, validTo], ['May 31 00:00:00 2049 GMT', 'Sep  3 00:00:00 2051 GMT']);
});

test('openssl reads and trusts it', { skip: missing('openssl') }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'ims-self-signed-'));
  try {
    const file = join(directory, 'cert.pem');
    writeFileSync(file, createSelfSigned(NAMES, Date.now()).certificate);
    const purpose = ['-x509_strict', '-purpose', 'sslserver', '-verify_hostname', 'localhost'];
    const verify = runToEnd('openssl', ['verify', ...purpose, '-CAfile', file, file], 10_000);
    assert.equal(verify.status, 0, verify.output);
    const text = runToEnd('openssl', ['x509', '-in', file, '-noout', '-text'], 10_000).output;
    for (const expected of ['Digital Signature', 'TLS Web Server Authentication', 'prime256v1'])
      assert.ok(text.includes(expected), expected);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
