import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { missing } from '../support/peers.js';
import { Pty } from '../support/pty.js';
import { MAIN_JS } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

/** Whether a process is there that is no zombie. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('SIGHUP reads certificates again; a closed terminal ends a server in its foreground', {
  skip: missing('script'),
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ims-hang-up-'));
  const flags = `--sip-listen tls:127.0.0.1:0 --data-dir ${directory} --admin 127.0.0.1:0 --secret s`;
  // The shell prints its own process id and then becomes the engine.
  const pty = Pty.start(`${process.execPath} ${MAIN_JS} engine ${flags}`, undefined, 'echo pid=$$=');
  try {
    await pty.until('Applications:');
    const pid = Number(/pid=(\d+)=/.exec(pty.text)?.[1]);
    process.kill(pid, 'SIGHUP');
    await pty.until('certificate read');
    assert.ok(isAlive(pid));
    pty.close();
    await waitFor('the end of the engine', () => !isAlive(pid));
  } finally {
    pty.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
