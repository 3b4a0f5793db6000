import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { prepareTls } from '../../../src/app/tls.js';
import { loadConfig } from '../../../src/config/load.js';
import type { Config } from '../../../src/config/schema.js';
import { createSelfSigned } from '../../../src/engine/transport/tls/self-signed.js';
import { silentLogger } from '../../../src/platform/logger.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ims-tls-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function config(env: Record<string, string>): Config {
  return loadConfig({ env: { DATA_DIR: directory, SIP_LISTEN: 'wss:0.0.0.0:8443', ...env } }).config;
}

test('without tls or wss nothing is made', () => {
  assert.deepEqual(prepareTls(config({ SIP_LISTEN: 'udp:0.0.0.0:5060,ws:0.0.0.0:8080' }), silentLogger), {});
});

test('a certificate is made once, for all that peers are told, and anew when it has ended', () => {
  const env = { EXTERNAL_IP: '203.0.113.5', ADVERTISE: '10.0.0.0/8=10.1.2.3' };
  const { tls } = prepareTls(config(env), silentLogger);
  assert.ok(tls);
  const made = new X509Certificate(readFileSync(tls.certificateFile));
  for (const address of ['203.0.113.5', '10.1.2.3', '127.0.0.1']) assert.ok(made.checkIP(address), address);
  const first = readFileSync(tls.keyFile, 'utf8');
  prepareTls(config(env), silentLogger);
  assert.equal(readFileSync(tls.keyFile, 'utf8'), first);
  const ended = createSelfSigned(['localhost'], Date.parse('2019-01-01T00:00:00Z'));
  writeFileSync(tls.certificateFile, ended.certificate);
  prepareTls(config(env), silentLogger);
  assert.notEqual(readFileSync(tls.keyFile, 'utf8'), first);
});

test('a certificate that is set is used as it is, with its key in the same file unless that is set', () => {
  const only = prepareTls(config({ SIP_TLS_CERT: '/etc/both.pem' }), silentLogger).tls;
  assert.deepEqual([only?.certificateFile, only?.keyFile], ['/etc/both.pem', '/etc/both.pem']);
  const env = {
    SIP_TLS_CERT: '/c.pem',
    SIP_TLS_KEY: '/k.pem',
    SIP_TLS_CA: '/ca.pem',
    SIP_TLS_MIN_VERSION: '1.3',
  };
  assert.deepEqual(prepareTls(config(env), silentLogger).tls, {
    certificateFile: '/c.pem',
    keyFile: '/k.pem',
    caFile: '/ca.pem',
    verifyClient: 'off',
    verifyServer: true,
    minVersion: 'TLSv1.3',
  });
});
