import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { Certificates, type KeyPair } from '../../support/certificates.js';
import { missing } from '../../support/peers.js';
import { RawTcp } from '../../support/raw-sockets.js';
import { type Stack, startStack } from '../../support/sip-stack.js';
import { requestText } from '../../support/sip-text.js';
import { waitFor } from '../../support/wait-for.js';

/** Longer than the time between two looks at the files. */
const PATIENCE_MS = 5_000;

describe('certificates are read anew without a restart', { skip: missing('openssl') }, () => {
  let files: Certificates;
  let old: KeyPair;
  let fresh: KeyPair;
  let used: { certificateFile: string; keyFile: string };

  before(() => {
    files = new Certificates();
    old = files.selfSigned('DNS:old.example');
    fresh = files.selfSigned('DNS:fresh.example');
  });

  after(() => files.close());

  beforeEach(() => {
    used = { certificateFile: join(files.directory, 'cert.pem'), keyFile: join(files.directory, 'key.pem') };
    install(old);
  });

  function install(pair: KeyPair): void {
    copyFileSync(pair.keyFile, used.keyFile);
    copyFileSync(pair.certificateFile, used.certificateFile);
  }

  async function withStack(use: (stack: Stack) => Promise<void>): Promise<void> {
    const address = '127.0.0.1';
    const listeners = (['tls', 'wss'] as const).map((protocol) => ({ protocol, address, port: 0 }));
    const stack = await startStack({ listeners, tls: used });
    try {
      await use(stack);
    } finally {
      await stack.close();
    }
  }

  async function shownBy(stack: Stack, protocol: 'tls' | 'wss' = 'tls'): Promise<string | undefined> {
    const phone = await RawTcp.connectTls(stack.port(protocol));
    const { subjectaltname } = (phone.socket as TLSSocket).getPeerCertificate();
    await phone.close();
    return subjectaltname;
  }

  test('when the files change; connections that are up live on', async () => {
    await withStack(async (stack) => {
      const phone = await RawTcp.connectTls(stack.port('tls'));
      assert.equal(await shownBy(stack), 'DNS:old.example');
      install(fresh);
      const isFresh = async (): Promise<boolean> => (await shownBy(stack)) === 'DNS:fresh.example';
      await waitFor('the new certificate', isFresh, PATIENCE_MS);
      assert.equal(await shownBy(stack, 'wss'), 'DNS:fresh.example');
      phone.send(requestText({ via: 'SIP/2.0/TLS 127.0.0.1:5061' }));
      await stack.requests.next();
      await phone.close();
    });
  });

  test('when told to; files that are no good change nothing', async () => {
    await withStack(async (stack) => {
      install(fresh);
      assert.equal(stack.transport.reloadCertificates(), true);
      assert.equal(await shownBy(stack), 'DNS:fresh.example');
      writeFileSync(used.certificateFile, 'no certificate');
      assert.equal(stack.transport.reloadCertificates(), false);
      copyFileSync(old.certificateFile, used.certificateFile);
      assert.equal(stack.transport.reloadCertificates(), false, 'the key is of another certificate');
      assert.equal(await shownBy(stack), 'DNS:fresh.example');
      const { certificateReloads, certificateReloadFailures } = stack.transport.counters;
      assert.deepEqual([certificateReloads, certificateReloadFailures], [1, 2]);
    });
  });
});
