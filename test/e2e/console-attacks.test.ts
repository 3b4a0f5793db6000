import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import type { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

const ATTACKER = join(dirname(fileURLToPath(import.meta.url)), '../support/console-attacker.js');
/** A call that takes longer to set up than this was held up by the console; the machine may be busy. */
const MAX_SETUP_MS = 2500;
/** Calls while the attacks go on, which they do for seconds. */
const MIN_CALLS = 10;

/** What it does, in its order; it says the name of each that it carried out. */
const ATTACKS = [
  'negotiation storm',
  'Are You There',
  'empty names',
  'too much before login',
  'megabytes without a line end',
  'megabytes at a terminal',
  'NUL and noise',
  'pasted commands',
  'a line of commands',
  'help and completion',
  'unread output',
  'half closed',
  'silent crowd',
  'silent SSH crowd',
  'wrong passwords',
  'wrong passwords by SSH',
  'rubbish to SSH',
  'SSH ended at once',
  'SSH commands',
  'unread output of SSH',
  'megabytes at an SSH terminal',
];

describe('calls while the console is attacked', { timeout: 90_000 }, () => {
  let calls: CallServer;
  let phones: SipPeer[];
  before(async () => {
    calls = await startCallServer({
      MML_SSH_LISTEN: '127.0.0.1:0',
      // What piled up for good would end the process.
      NODE_OPTIONS: '--max-old-space-size=192',
    });
    phones = [];
    for (const name of ['1001', '1002', '1003', '1004']) phones.push(await calls.phone(name));
  });
  after(() => calls.close());

  it('calls that are up stay up, others are set up in time, nothing piles up, and it is logged once', async () => {
    const [a, b, c, d] = phones as [SipPeer, SipPeer, SipPeer, SipPeer];
    const lasting = await connect(a, b);
    const { facts } = calls.server;
    const ports = [facts.mml, facts.ssh!].map((address) => address.split(':').at(-1)!);
    const attacker = spawn(process.execPath, [ATTACKER, ...ports], { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = text(attacker.stdout);
    const ended = once(attacker, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    let count = 0;
    let slowest = 0;
    while (attacker.exitCode === null && attacker.signalCode === null) {
      const started = performance.now();
      const call = await connect(c, d);
      slowest = Math.max(slowest, performance.now() - started);
      await hangUp(c, d, call);
      count++;
    }
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual((await said).trimEnd().split('\n'), ATTACKS);
    assert.ok(count >= MIN_CALLS, `${count} calls in all the time`);
    assert.ok(slowest < MAX_SETUP_MS, `the slowest of ${count} calls took ${slowest} ms`);
    await hangUp(a, b, lasting);
    const records = await calls.records(count + 1);
    assert.ok(
      records.every(
        ({ result, releaseReason }) => `${result} ${releaseReason}` === 'ANSWERED normal-clearing',
      ),
    );

    const sessions = async () =>
      (JSON.parse(await calls.mml('LST SESSION', 'JSON')).reports[0].rows as unknown[]).length;
    await waitFor('the end of sessions', async () => (await sessions()) === 1);
    const warnings = new Map<string, number>();
    for (const line of calls.server.output().split('\n')) {
      if (!line.startsWith('{')) continue;
      const { level, msg, address } = JSON.parse(line) as { level: number; msg: string; address?: string };
      const what = address === undefined ? msg : `${msg}: ${address}`;
      if (level >= 40) warnings.set(what, (warnings.get(what) ?? 0) + 1);
    }
    // Every attack comes from an address of its own.
    assert.deepEqual(Object.fromEntries([...warnings].sort()), {
      'telnet negotiation storm, no longer answered: 127.0.3.1': 1,
      'console client sends too much before login, disconnected: 127.0.3.4': 1,
      // By telnet and by SSH.
      'console login failed: 127.0.3.5': 3,
      'console login failed: 127.0.3.6': 3,
      // One for each listener.
      'too many console connections that have not logged in': 2,
    });
  });
});
