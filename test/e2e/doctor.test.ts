import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DnsServer } from '../support/dns-server.js';
import { freeTcpPort, freeUdpPort } from '../support/free-port.js';
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
