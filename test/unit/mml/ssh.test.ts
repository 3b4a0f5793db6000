import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import ssh2 from 'ssh2';
import {
  SSH_HANDSHAKE_BURST,
  SSH_HANDSHAKE_BURST_PER_ADDRESS,
  SSH_HANDSHAKES_PER_SEC,
  SSH_HANDSHAKES_PER_SEC_PER_ADDRESS,
} from '../../../src/mml/limits.js';
import { HandshakeRate } from '../../../src/mml/ssh/handshake-rate.js';
import { loadHostKey } from '../../../src/mml/ssh/host-key.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { ManualClock } from '../../support/manual-clock.js';

describe('SSH host key', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ims-key-'));
  after(() => rmSync(directory, { recursive: true }));
  const path = (name: string) => join(directory, name);

  it('is made once, private, and read again', async () => {
    const made = await loadHostKey(path('key'), silentLogger);
    assert.equal(statSync(path('key')).mode & 0o777, 0o600);
    const again = await loadHostKey(path('key'), silentLogger);
    assert.deepEqual(again, made);
    const other = await loadHostKey(path('other'), silentLogger);
    assert.notEqual(other.fingerprint, made.fingerprint);
    chmodSync(path('key'), 0o644);
    await loadHostKey(path('key'), silentLogger);
    assert.equal(statSync(path('key')).mode & 0o777, 0o600);
  });

  it('can be used whatever its bytes are', async () => {
    // The generator of ssh2 spoils one key in some hundred.
    for (let i = 0; i < 200; i++) {
      const { privateKey } = await loadHostKey(path(`many${i}`), silentLogger);
      const key = ssh2.utils.parseKey(privateKey);
      assert.ok(!(key instanceof Error));
      const parsed = Array.isArray(key) ? key[0]! : key;
      assert.equal(parsed.verify('x', parsed.sign('x')), true);
    }
  });

  it('is never replaced: a file that cannot be used stops the start', async () => {
    const rsa = ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 }).private;
    for (const content of ['', 'rubbish', rsa]) {
      writeFileSync(path('bad'), content, { mode: 0o600 });
      await assert.rejects(loadHostKey(path('bad'), silentLogger), { code: 'CONSOLE_START' });
      assert.equal(readFileSync(path('bad'), 'utf8'), content);
    }
    await assert.rejects(loadHostKey(path('no/such/directory'), silentLogger), { code: 'CONSOLE_START' });
  });
});

describe('rate of SSH key exchanges', () => {
  const taken = (rate: HandshakeRate, address: string, times: number) =>
    Array.from({ length: times }, () => rate.take(address)).filter(Boolean).length;

  it('gives an address, or an IPv6 /64, its burst and then its rate', () => {
    const clock = new ManualClock();
    const rate = new HandshakeRate(clock);
    assert.equal(taken(rate, '192.0.2.1', 1000), SSH_HANDSHAKE_BURST_PER_ADDRESS);
    clock.advance(2000);
    assert.equal(taken(rate, '192.0.2.1', 1000), 2 * SSH_HANDSHAKES_PER_SEC_PER_ADDRESS);
    assert.equal(
      taken(rate, '2001:db8::1', 30) + taken(rate, '2001:db8::2', 30),
      SSH_HANDSHAKE_BURST_PER_ADDRESS,
    );
  });

  it('bounds all addresses together, and one that is over its own share takes nothing from them', () => {
    const clock = new ManualClock();
    const rate = new HandshakeRate(clock);
    assert.equal(taken(rate, '192.0.2.1', 100_000), SSH_HANDSHAKE_BURST_PER_ADDRESS);
    let others = 0;
    for (let i = 0; i < 5000; i++) others += taken(rate, `10.0.${i >> 8}.${i & 255}`, 1);
    assert.equal(others, SSH_HANDSHAKE_BURST - SSH_HANDSHAKE_BURST_PER_ADDRESS);
    clock.advance(1000);
    assert.equal(taken(rate, '10.1.0.1', 40) <= SSH_HANDSHAKES_PER_SEC, true);
  });
});
