import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startEngine } from '../../src/engine/engine.js';
import { startB2buaApp } from '../support/b2bua-app.js';
import { freeUdpPort } from '../support/free-port.js';
import { missing, programPath } from '../support/peers.js';
import { waitFor } from '../support/wait-for.js';

interface Sipp {
  readonly done: Promise<{ code: number | null; output: string }>;
  stop(): void;
}

/** sipp with its built-in scenarios, its files in `dir`. */
function sipp(dir: string, args: readonly string[]): Sipp {
  const child = spawn(programPath('sipp'), [...args, '-nostdin', '-i', '127.0.0.1'], { cwd: dir });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const done = new Promise<{ code: number | null; output: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, output })),
  );
  return { done, stop: () => child.kill('SIGTERM') };
}

describe('sipp through the engine and a small drachtio-srf application', { skip: missing('sipp') }, () => {
  for (const transport of ['udp', 'tcp'] as const)
    test(`200 calls over ${transport}`, async (t) => {
      const dir = mkdtempSync(join(tmpdir(), 'ims-sipp-'));
      const uasPort = await freeUdpPort();
      const uacPort = await freeUdpPort();
      const engine = await startEngine({
        sipListen: [
          { protocol: 'udp', address: '127.0.0.1', port: 0 },
          { protocol: 'tcp', address: '127.0.0.1', port: 0 },
        ],
        admin: { port: 0, secret: 'cymru' },
      });
      const parameter = transport === 'udp' ? '' : ';transport=tcp';
      const app = await startB2buaApp(
        { port: engine.adminPort, secret: 'cymru' },
        `127.0.0.1:${uasPort}${parameter}`,
      );
      const mode = transport === 'udp' ? [] : ['-t', 't1'];
      const uas = sipp(dir, ['-sn', 'uas', '-p', String(uasPort), ...mode]);
      t.after(async () => {
        uas.stop();
        await uas.done;
        app.close();
        await engine.close();
        rmSync(dir, { recursive: true, force: true });
      });
      const port = engine.listeners.find((listener) => listener.protocol === transport)!.port;
      const uac = sipp(dir, [
        '-sn',
        'uac',
        '-p',
        String(uacPort),
        '-m',
        '200',
        '-r',
        '50',
        '-d',
        '100',
        `127.0.0.1:${port}`,
        ...mode,
      ]);
      const { code, output } = await uac.done;
      assert.equal(code, 0, output.slice(-3000));
      assert.deepEqual(app.failures, []);
      assert.equal(engine.stats().core.dialogsCreated, 400);
      await waitFor('every dialog to be over', () => engine.stats().dialogs === 0);
      assert.equal(engine.stats().pendingRequests, 0);
    });
});
