import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runIms, startServer } from '../support/server.js';

const DEMO_BOUND_MS = 30_000;

/** What the demo shows when each phone heard the other. */
function assertPassed(stdout: string): void {
  assert.match(stdout, /A phone +server +B phone/);
  assert.match(stdout, /caller +sent \d+ +received \d+ +lost 0 +hears 880 Hz/);
  assert.match(stdout, /callee +sent \d+ +received \d+ +lost 0 +hears 440 Hz/);
  assert.match(stdout, /result +ANSWERED/);
  assert.match(stdout, /Demo passed\.\n$/);
}

test('ims demo brings a private server along when none runs', { timeout: DEMO_BOUND_MS }, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ims-demo-test-'));
  try {
    const env = { PATH: process.env['PATH'] ?? '', DATA_DIR: join(dataDir, 'none'), TMPDIR: dataDir };
    const { code, stdout, stderr } = await runIms(env, ['demo']);
    assert.equal(code, 0, stderr);
    assertPassed(stdout);
    assert.deepEqual(readdirSync(dataDir), [], 'nothing is left behind');
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('ims demo calls through the server that runs, and leaves no user behind', {
  timeout: DEMO_BOUND_MS,
}, async () => {
  const server = await startServer();
  try {
    const { code, stdout, stderr } = await server.ims('demo');
    assert.equal(code, 0, stderr);
    assertPassed(stdout);
    assert.match(stdout, /your server at/);
    assert.equal((await server.ims('user', 'list')).stdout, '');
  } finally {
    await server.close();
  }
});

test('ims demo says so and exits with 1 when the phones cannot hear each other', {
  timeout: DEMO_BOUND_MS,
}, async () => {
  // A relay that nobody answers for: no media, no call.
  const server = await startServer({ env: { MEDIA_RELAY: 'rtpproxy+udp://127.0.0.1:9' } });
  try {
    const { code, stderr } = await server.ims('demo');
    assert.equal(code, 1);
    assert.match(stderr, /503/);
  } finally {
    await server.close();
  }
});
