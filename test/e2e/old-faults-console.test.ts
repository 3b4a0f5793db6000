// Faults that users of the old server knew, one block each (docs/old-server.md): the console.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect } from '../support/call-steps.js';
import { WireClient } from '../support/mml-console.js';
import type { SipPeer } from '../support/sip-peer.js';

interface Report {
  readonly retcode: number;
  readonly message: string;
  readonly reports?: readonly { readonly lines?: readonly string[]; readonly rows?: readonly unknown[] }[];
}

/** Commands whose examples this server has to refuse as it stands, and why it says. */
const NOT_HERE: Readonly<Record<string, RegExp>> = {
  // The example of MOD OPERATOR gave it to one.
  'RMV CMDGROUP': /operators have it: zhang/,
  'ADD RELAY': /the built-in relay stands alone/,
  // These run by the local socket.
  'SET PASSWORD': /ims mml is no operator and has no password; say whose it is/,
};

describe('fault 9: names were cut, calls went on, commands were missing, and nobody was accountable', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    calls = await startCallServer();
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls?.close());

  /** One command over the local socket. */
  async function run(command: string): Promise<Report> {
    return JSON.parse(await calls.mml(command, 'JSON')) as Report;
  }

  async function loggedIn(name: string, password: string): Promise<WireClient> {
    const client = await WireClient.open(calls.server.mmlPort);
    await client.login(name, password);
    return client;
  }

  /** The same of one that may go on until it is interrupted: the next line of a session ends it. */
  async function runOnce(command: string): Promise<Report> {
    if (!/\b(?:WATCH|FOLLOW)=/.test(command)) return run(command);
    const client = await loggedIn('admin', 'admin-secret');
    client.send(`${command}\nLGO\n`);
    const [, retcode, message = ''] = /RETCODE = (\d+) +(.*)/.exec(await client.untilClosed()) ?? [];
    return { retcode: Number(retcode), message };
  }

  for (const [written, kept] of [
    ['NAME="Li Si"', 'Li Si'],
    ['NAME="李 四, jr; \\"Lao Si\\" = \\\\o/"', '李 四, jr; "Lao Si" = \\o/'],
    ['NAME=plain', 'plain'],
  ] as const)
    test(`a name is kept whole: ${written}`, async () => {
      const client = await loggedIn('admin', 'admin-secret');
      assert.match(
        await client.run(`ADD USER: USERNAME=3001, PASSWORD="two words", ${written};`),
        /RETCODE = 0 /,
      );
      const listed = await client.run('LST USER: USERNAME=3001;');
      assert.ok(listed.includes(`=  ${kept}\r\n`), listed);
      assert.match(await client.run('RMV USER: USERNAME=3001;'), /RETCODE = 0 /);
      client.close();
    });

  test('RMV CALL sends BYE both ways, and asks first', async () => {
    const call = await connect(a, b);
    const client = await loggedIn('admin', 'admin-secret');
    const callId = call.invite.callId ?? '';
    assert.match(await client.run(`RMV CALL CALLID="${callId}"`), /RETCODE = 3003 /);
    assert.match(await client.run(`DSP CALL CALLID="${callId}"`), /RETCODE = 0 /);
    const ended = client.run(`RMV CALL CALLID="${callId}" CONFIRM=YES`);
    await Promise.all([a.expectBye(), b.expectBye()]);
    assert.match(await ended, /RETCODE = 0 /);
    const [record] = await calls.recordsOf(callId);
    assert.deepEqual([record?.releaseParty, record?.releaseReason], ['OPERATOR', 'operator-ended']);
    client.close();
  });

  test('RMV CALL of a call that rings: the caller hears a final answer, the phone a CANCEL', async () => {
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    await a.response(invite, 180);
    const ended = run(`RMV CALL: CALLID="${invite.callId}", CONFIRM=YES`);
    a.ackRefusal(invite, await a.final(invite));
    b.respond(await b.next('CANCEL'), 200);
    b.respond(atB, 487);
    await b.next('ACK');
    assert.equal((await ended).retcode, 0);
  });

  test('every command that HLP advertises is there, and every example that it gives is understood', async () => {
    const listed = (await run('HLP')).reports?.[1]?.lines ?? [];
    const names = listed.map((line) => line.trim().split(/ {2,}/)[0]!);
    assert.ok(names.length >= 20, `${names}`);
    const ends = (name: string): boolean => name === 'LGO';
    for (const name of [...names.filter((name) => !ends(name)), ...names.filter(ends)]) {
      const help = await run(`HLP: CMD="${name}"`);
      assert.equal(help.retcode, 0, name);
      const lines = help.reports?.flatMap((report) => report.lines ?? []) ?? [];
      const examples = lines.flatMap((line) => /^ *Example +(.+)$/.exec(line)?.[1] ?? []);
      assert.ok(examples.length > 0, `${name} has no example`);
      for (const example of examples) {
        // It would do so; mml-service.test.ts lets it.
        if (/^RST SERVICE.*CONFIRM/.test(example)) continue;
        const { retcode, message } = await runOnce(example);
        // Done; not confirmed; or no such user, call, session here. Never unknown, malformed or broken.
        const isUnderstood = retcode === 0 || retcode === 3003 || (retcode >= 4000 && retcode < 5000);
        const isRefusedHere = name in NOT_HERE && retcode >= 2000 && NOT_HERE[name]!.test(message);
        assert.ok(isUnderstood || isRefusedHere, `${example}: ${retcode} ${message}`);
      }
    }
  });

  for (const command of [
    'DSP SYSINFO',
    'DSP USER ALL',
    'ADD USR USERNAME=3002 PASSWORD=secret-3002 NAME="Old Style" SERVICE=VIP STATUS=ACTIVE',
    'MOD USR USERNAME=3002 STATUS=SUSPENDED',
    'RMV USR USERNAME=3002',
    'DSP REG ALL',
    'DSP REG SPECIFIC URI=sip:1002@ims',
    'DSP REG STAT',
    'RMV REG SPECIFIC URI=sip:1002@ims CONFIRM=YES',
    'DSP CALL ACTIVE',
    'DSP CALL STAT',
    'DSP CDR',
    'DSP CDR TODAY',
    'DSP CDR DATE=2026-11-20 TYPE=CALL LIMIT=5',
    'DSP CDR STAT',
    'DSP LOG CFG',
    'SET LOG LEVEL=INFO',
    'SET LOGLEVEL LEVEL=INFO',
    'HELP ALL',
    'HELP CMD=DSP CALL',
    'HELP HOTKEY',
  ])
    test(`the old spelling is understood: ${command}`, async () => {
      assert.equal((await run(command)).retcode, 0);
    });

  test('roles: who may look may not change, who may change users may not make operators', async () => {
    for (const [name, role] of [
      ['looker', 'GUEST'],
      ['worker', 'OPERATOR'],
    ] as const)
      assert.equal(
        (await run(`ADD OPERATOR: NAME=${name}, PASSWORD="${name}-secret", ROLE=${role}`)).retcode,
        0,
      );
    for (const [name, allowed, refused] of [
      [
        'looker',
        ['LST USER', 'DSP CALL'],
        ['ADD USER: USERNAME=3003, PASSWORD=secret-3003', 'RMV CALL: ID=x, CONFIRM=YES', 'LST OPLOG'],
      ],
      [
        'worker',
        ['ADD USER: USERNAME=3003, PASSWORD=secret-3003', 'RMV USER: USERNAME=3003'],
        ['ADD OPERATOR: NAME=me, PASSWORD=secret-me, ROLE=ADMIN', 'RMV CALL: ID=x, CONFIRM=YES'],
      ],
    ] as const) {
      const client = await loggedIn(name, `${name}-secret`);
      for (const command of allowed) assert.match(await client.run(command), /RETCODE = 0 /, command);
      for (const command of refused) assert.match(await client.run(command), /RETCODE = 3002 /, command);
      client.close();
    }
    assert.equal((await run('LST USER: USERNAME=3003')).reports?.[0]?.rows?.length ?? 0, 0);
  });

  test('the operation log says who did what, from where and with what result, passwords masked', async () => {
    const client = await loggedIn('admin', 'admin-secret');
    await client.run('ADD USER: USERNAME=3004, PASSWORD="masked-secret";');
    await client.run('RMV USER: USERNAME=nobody;');
    const log = await client.run('LST OPLOG: OPERATOR=admin, LIMIT=10;');
    assert.match(log, /admin +127\.0\.0\.1\S* .* 0 .*ADD USER: USERNAME=3004, PASSWORD=\*+/);
    assert.match(log, /admin .* 4001 .*RMV USER: USERNAME=nobody/);
    assert.doesNotMatch(log, /masked-secret/);
    client.close();
  });
});
