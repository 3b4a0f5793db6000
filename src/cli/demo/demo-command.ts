import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { StoredUsers } from '../../accounts/stored-users.js';
import type { CallRecord } from '../../cdr/types.js';
import { randomToken } from '../../platform/ids.js';
import type { Store } from '../../store/types.js';
import { ladder } from '../../trace/ladder.js';
import { settingsOf, withSettings } from '../settings.js';
import { withStore } from '../with-store.js';
import { CALLEE_HZ, CALLER_HZ, type DemoOutcome, type DemoParty, demoCall } from './demo-call.js';
import { type DemoServer, findOrStartServer } from './demo-server.js';

const RECORD_WAIT_MS = 5000;
const RECORD_LOOK_MS = 100;
const LADDER_WIDTH = 100;

const print = (text: string): void => void process.stdout.write(text);

/** `ims demo`: two phones call each other through the server. Exits with 0 only when each heard the other and the record is right. */
export function demoCommand(): Command {
  return withSettings(
    new Command('demo').description(
      'two built-in phones call each other through the server; shows the ladder and the record',
    ),
    ['DATA_DIR', 'STORE_URL', 'SIP_REALM', 'SERVER_IP'],
  ).action(async (options: Record<string, unknown>) => {
    const startedAt = performance.now();
    const say = (line: string): void =>
      print(`  ${((performance.now() - startedAt) / 1000).toFixed(1).padStart(4)} s  ${line}\n`);
    print('ims demo: two phones call each other through the server\n\n');
    const server = await findOrStartServer(settingsOf(options).config);
    try {
      say(
        `${server.isYours ? 'your server' : 'a private server (none runs here)'} at ${server.facts.sip.join(' ')}`,
      );
      const isGood = await withStore(server.config, (store) => demo(server, store, say));
      print(isGood ? '\nDemo passed.\n' : '\nDemo FAILED.\n');
      process.exitCode = isGood ? 0 : 1;
    } finally {
      await server.close();
    }
  });
}

/** Runs the call with two users of its own, which are removed again; prints what came of it. */
async function demo(server: DemoServer, store: Store, say: (line: string) => void): Promise<boolean> {
  const users = new StoredUsers({ store, realm: server.config.SIP_REALM });
  const suffix = randomToken(4);
  const [caller, callee] = ['a', 'b'].map((side) => ({
    username: `demo-${side}-${suffix}`,
    password: randomToken(20),
  }));
  if (!caller || !callee) return false;
  try {
    for (const { username, password } of [caller, callee])
      await users.add(username, { password, displayName: 'Demo' });
    const outcome = await demoCall({
      server: udpAddress(server),
      domain: server.config.SIP_REALM,
      caller,
      callee,
      say,
    });
    print(`\nLadder of both legs\n\n${ladder(outcome.messages, { width: LADDER_WIDTH })}\n`);
    const areStreamsGood = printStreams(outcome);
    const record = await findRecord(store, caller);
    print(record ? `\nRecord\n\n${table(record)}\n` : '\nNo record was found.\n');
    return areStreamsGood && record?.result === 'ANSWERED';
  } finally {
    for (const { username } of [caller, callee]) await users.remove(username).catch(() => undefined);
  }
}

function printStreams({ caller, callee }: DemoOutcome): boolean {
  const row = (name: string, side: DemoOutcome['caller'], expectedHz: number): string =>
    `  ${name}  sent ${side.sent}  received ${side.received}  lost ${side.lost}  hears ${side.heardHz || 'no'} Hz (${expectedHz} expected)\n`;
  print(`Streams\n\n${row('caller', caller, CALLEE_HZ)}${row('callee', callee, CALLER_HZ)}`);
  return caller.heardHz === CALLEE_HZ && callee.heardHz === CALLER_HZ;
}

/** The record of the caller's call, as soon as the Store has it. */
async function findRecord(store: Store, caller: DemoParty): Promise<CallRecord | undefined> {
  for (
    const until = performance.now() + RECORD_WAIT_MS;
    performance.now() < until;
    await sleep(RECORD_LOOK_MS)
  ) {
    const { records } = await store.records.query({ caller: caller.username, type: 'CALL', limit: 1 });
    if (records[0]) return records[0].body as unknown as CallRecord;
  }
  return undefined;
}

/** Every field that has a value, aligned; lists and objects as JSON. */
function table(record: CallRecord): string {
  const fields = Object.entries(record).filter(
    ([, value]) => value !== '' && !(Array.isArray(value) && value.length === 0),
  );
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields
    .map(([name, value]) => {
      const shown = /Time$/.test(name) && typeof value === 'number' ? new Date(value).toISOString() : value;
      return `  ${name.padEnd(width)}  ${typeof shown === 'object' ? JSON.stringify(shown) : String(shown)}`;
    })
    .join('\n');
}

/** Where phones of this machine reach the server by UDP. */
function udpAddress(server: DemoServer): { address: string; port: number } {
  const listener = server.facts.sip.find((entry) => entry.startsWith('udp:')) ?? 'udp:127.0.0.1:5060';
  const [, host = '127.0.0.1', port = '5060'] = /^udp:(.*):(\d+)$/.exec(listener) ?? [];
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '[::]' ? '::1' : host.replace(/[[\]]/g, '');
  return { address, port: Number(port) };
}
