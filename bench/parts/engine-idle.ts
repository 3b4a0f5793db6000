import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EngineRig, startOurs } from '../harness/engine-rig.js';
import type { Bench } from '../harness/plan.js';

const BINDINGS_JS = fileURLToPath(new URL('./bindings-process.js', import.meta.url));
/** Connections of one address stay below what the engine lets one source have. */
const PER_ADDRESS = 500;
/** Opened at once. */
const BATCH = 100;
/** Files that a process needs beside its connections. */
const OTHER_FILES = 200;
const IDLE_MS = 5000;

/** What connections and registrations cost that say nothing. */
export async function idleState(bench: Bench): Promise<void> {
  await idleConnections(bench);
  const { bindings } = bench.plan;
  const part = `${bindings.toLocaleString('en')} idle bindings over connections`;
  const output = execFileSync(process.execPath, ['--expose-gc', BINDINGS_JS, String(bindings)], {
    encoding: 'utf8',
  });
  const { engineBytes, tableBytes } = JSON.parse(output) as { engineBytes: number; tableBytes: number };
  const mib = (bytes: number) => ({ part, value: bytes / 2 ** 20, unit: 'MiB' });
  bench.report.add({ ...mib(engineBytes), what: 'memory, engine: ways back to the newest 50,000' });
  bench.report.add({ ...mib(tableBytes), what: 'memory, registrar: last known state of the newest 50,000' });
}

async function idleConnections(bench: Bench): Promise<void> {
  const { plan, report, nodeArgs } = bench;
  const count = Math.min(plan.connections, openFilesAllowed() - OTHER_FILES);
  const part = `${count.toLocaleString('en')} idle TCP connections`;
  if (count < plan.connections) report.note(`open files are limited: ${count} connections instead`);
  const rig = await EngineRig.start(bench, 'idle', startOurs(nodeArgs));
  const sockets: Socket[] = [];
  try {
    const before = await rig.engine.node!.memory();
    while (sockets.length < count) sockets.push(...(await openSome(rig.sipPort, sockets.length, count)));
    await delay(IDLE_MS / 5);
    const after = await rig.engine.node!.memory();
    const start = rig.times().engineMs;
    await delay(IDLE_MS);
    const cpuMs = rig.times().engineMs - start;
    const open = sockets.filter((socket) => socket.readyState === 'open').length;
    report.add({ part, what: 'still open', value: open, unit: '' });
    report.add({
      part,
      what: 'memory of one, heap',
      value: (after.used - before.used) / count / 1024,
      unit: 'KiB',
    });
    report.add({ part, what: 'resident set of the engine', value: after.rss / 2 ** 20, unit: 'MiB' });
    report.add({ part, what: 'CPU of a second', value: cpuMs / (IDLE_MS / 1000), unit: 'ms' });
  } finally {
    for (const socket of sockets) socket.destroy();
    await rig.stop();
  }
}

/** A batch of connections, each of which has sent a request and got its answer. */
async function openSome(port: number, opened: number, count: number): Promise<Socket[]> {
  const wanted = Math.min(BATCH, count - opened);
  return Promise.all(
    Array.from({ length: wanted }, (_, i) => {
      const number = opened + i;
      const localAddress = `127.0.${1 + Math.floor(number / PER_ADDRESS)}.1`;
      return new Promise<Socket>((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1', localAddress });
        socket.once('error', reject);
        socket.once('data', () => {
          socket.off('error', reject).on('error', () => undefined);
          resolve(socket);
        });
        socket.write(request(number));
      });
    }),
  );
}

/** In a dialog that nobody has: answered by the engine itself. */
function request(number: number): string {
  return [
    'OPTIONS sip:bench@127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKidle${number}`,
    'Max-Forwards: 70',
    `From: <sip:idle@127.0.0.1>;tag=${number}`,
    'To: <sip:bench@127.0.0.1>;tag=none',
    `Call-ID: idle-${number}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

/** Node raises the soft limit to the hard one when it starts. */
function openFilesAllowed(): number {
  const line = /^Max open files\s+\d+\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  return line?.[1] === undefined || line[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line[1]);
}
