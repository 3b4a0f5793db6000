import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Certificates, type KeyPair } from '../support/certificates.js';
import { DnsServer } from '../support/dns-server.js';
import { freeTcpPort, freeUdpPort } from '../support/free-port.js';
import { missing } from '../support/peers.js';
import { runIms, startServer } from '../support/server.js';

test('ims doctor names each part that does not answer and says what to do', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ims-doctor-'));
  try {
    const nobody = await freeTcpPort();
    const { code, stdout } = await runIms(
      {
        PATH: process.env['PATH'] ?? '',
        DATA_DIR: dataDir,
        SIP_ENGINE: `drachtio://:hush-hush@127.0.0.1:${nobody}`,
        MEDIA_RELAY: 'rtpproxy+udp://127.0.0.1:9',
        STORE_URL: `redis://:hush-hush@127.0.0.1:${nobody}`,
      },
      ['doctor'],
    );
    assert.equal(code, 1);
    assert.match(stdout, /^WARN {2}no server runs on .*\n +-> start one/m);
    assert.match(stdout, /^FAIL {2}no SIP engine at 127\.0\.0\.1:\d+\n +-> start drachtio-server/m);
    assert.match(stdout, /^FAIL {2}no answer from rtpproxy\+udp:\/\/127\.0\.0\.1:9\n +-> start RTPProxy/m);
    assert.match(stdout, /^FAIL {2}Store: .*\n +-> is Redis up/m);
    assert.doesNotMatch(stdout, /hush-hush/);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('ims doctor finds nothing wrong beside a running server', async () => {
  const server = await startServer({ env: { SIP_ENGINE: 'embedded', MEDIA_RELAY: 'embedded' } });
  try {
    const { code, stdout } = await server.ims('doctor');
    assert.equal(code, 0, stdout);
    assert.doesNotMatch(stdout, /FAIL/);
    assert.match(stdout, new RegExp(`^ok {4}a server runs here: pid ${server.facts.pid},`, 'm'));
  } finally {
    await server.close();
  }
});

test('ims doctor says that a SIP port is taken, and which DNS server is silent', async () => {
  const dns = await DnsServer.start();
  const deadDns = `127.0.0.1:${await freeUdpPort()}`;
  const server = await startServer({ env: { SIP_ENGINE: 'embedded' } });
  const dataDir = mkdtempSync(join(tmpdir(), 'ims-doctor-'));
  try {
    const env = {
      PATH: process.env['PATH'] ?? '',
      DATA_DIR: dataDir,
      SIP_LISTEN: `udp:127.0.0.1:${server.udpPort}`,
      DNS_SERVERS: `${dns.name},${deadDns}`,
    };
    const { code, stdout } = await runIms(env, ['doctor']);
    assert.equal(code, 1);
    assert.match(stdout, /FAIL {2}udp:127\.0\.0\.1:\d+: .*EADDRINUSE/);
    assert.match(stdout, new RegExp(`^WARN {2}no DNS answer from ${deadDns}\n +-> set DNS_SERVERS`, 'm'));
    const { stdout: now } = await runIms({ ...env, DNS_SERVERS: dns.name }, ['doctor']);
    assert.match(now, new RegExp(`^ok {4}DNS answers: ${dns.name}`, 'm'));
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
    await dns.close();
    await server.close();
  }
});

test('ims doctor looks at the certificate: there, fitting its key, good for a while', {
  skip: missing('openssl'),
}, async () => {
  const files = new Certificates();
  const dataDir = mkdtempSync(join(tmpdir(), 'ims-doctor-'));
  try {
    const good = files.selfSigned('DNS:localhost');
    const other = files.selfSigned('DNS:localhost');
    const ended = files.expired();
    const doctor = async (env: Record<string, string>): Promise<string> => {
      const always = { PATH: process.env['PATH'] ?? '', DATA_DIR: dataDir, SIP_ENGINE: 'embedded' };
      const { stdout } = await runIms({ ...always, SIP_LISTEN: 'wss:127.0.0.1:0', ...env }, ['doctor']);
      return stdout;
    };
    const of = (pair: KeyPair, keyFile = pair.keyFile): Record<string, string> => ({
      SIP_TLS_CERT: pair.certificateFile,
      SIP_TLS_KEY: keyFile,
    });
    assert.doesNotMatch(await doctor({ SIP_LISTEN: 'udp:127.0.0.1:0' }), /certificate/);
    assert.match(await doctor({}), /^ok {4}a self-signed certificate will be made/m);
    assert.match(
      await doctor(of(good)),
      /^WARN {2}the certificate in .* ends in [12] days\n +-> put a new one/m,
    );
    assert.match(
      await doctor(of(good, other.keyFile)),
      /^FAIL {2}the key in .* does not belong to the certificate/m,
    );
    assert.match(await doctor(of(ended)), /^FAIL {2}the certificate in .* ended on .*2021/m);
    const nowhere = { ...of(good), SIP_TLS_CERT: '/nonexistent/cert.pem' };
    assert.match(
      await doctor(nowhere),
      /^FAIL {2}no certificate: .*\n +-> set SIP_TLS_CERT.*openssl req -x509/m,
    );
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
    files.close();
  }
});
