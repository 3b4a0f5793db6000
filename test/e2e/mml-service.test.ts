// The server as a whole from the console: settings that change while it runs, draining, its log, and starting anew.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readRunFacts } from '../../src/app/run-file.js';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import type { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

describe('the server from the console', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    calls = await startCallServer();
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls?.close());

  const run = (command: string): Promise<string> => calls.mml(command);
  const ok = async (command: string): Promise<string> => {
    const report = await run(command);
    assert.match(report, /RETCODE = 0 /, command);
    return report;
  };

  async function refusal(): Promise<number> {
    const invite = await a.invite('1002');
    const answer = await a.final(invite);
    a.ackRefusal(invite, answer);
    return answer.statusCode;
  }

  test('a limit that is set counts for the next call, and is a default again when it is forgotten', async () => {
    const call = await connect(a, b);
    await ok('SET CFG: KEY=MAX_CALLS, VALUE=1');
    assert.equal(await refusal(), 503);
    await hangUp(a, b, call);
    await ok('RMV CFG: KEY=MAX_CALLS');
    await ok('SET CFG: KEY=REG_MIN_SEC, VALUE=120, SAVE=NO');
    assert.equal((await b.register(60)).statusCode, 423);
    await ok('RMV CFG: KEY=REG_MIN_SEC');
    assert.equal((await b.register()).statusCode, 200);
  });

  test('ims mml ends with 0 after a command that is carried out, and with 1 after one that is refused', async () => {
    const done = await calls.server.ims('mml', 'LST CFG: KEY=DRAIN_SEC');
    assert.deepEqual([done.code, done.stderr], [0, '']);
    assert.match(done.stdout, /RETCODE = 0 /);
    for (const [command, retcode] of [
      ['RMV USER: USERNAME=9999, CONFIRM=YES', 4001],
      ['MAKE TEA', 1002],
    ] as const) {
      const refused = await calls.server.ims('mml', command);
      assert.deepEqual([refused.code, refused.stderr], [1, ''], command);
      assert.match(refused.stdout, new RegExp(`RETCODE = ${retcode} `));
    }
  });

  test('what the environment sets is stronger; it can be changed until the next start', async () => {
    assert.match(await run('SET CFG: KEY=DRAIN_SEC, VALUE=5'), /RETCODE = 3007 .*environment/);
    await ok('SET CFG: KEY=DRAIN_SEC, VALUE=2, SAVE=NO');
    assert.match(await ok('LST CFG: KEY=DRAIN_SEC'), /Value += {2}2\n +From += {2}running/);
    assert.doesNotMatch(await ok('LST CFG'), /admin-secret/);
  });

  test('SET DRAIN refuses new calls and takes them again; calls that are up go on', async () => {
    const call = await connect(a, b);
    assert.match(await ok('SET DRAIN: STATE=ON, CONFIRM=YES'), /State += {2}draining/);
    assert.match(await ok('DSP SYSINFO'), /State += {2}draining/);
    await assert.rejects(a.invite('1002'), /^Error: 503 in place of a challenge/);
    await hangUp(a, b, call);
    assert.match(await ok('SET DRAIN OFF CONFIRM=YES'), /State += {2}running/);
    await hangUp(a, b, await connect(a, b));
  });

  test('DSP LOG shows what was logged since the start; levels count at once', async () => {
    await ok('SET LOG: LEVEL=DEBUG');
    const call = await connect(a, b);
    await hangUp(a, b, call);
    const { callId = '' } = call.invite;
    const lines = (report: string): string[] => report.split('\n').filter((line) => line.includes(callId));
    const shown = lines(await ok('DSP LOG: LINES=1000'));
    assert.ok(shown.length > 0 && shown.some((line) => /\bdebug\b/i.test(line)), shown.join('\n'));
    assert.match(await ok('LST CFG: KEY=LOG_LEVEL'), /Value += {2}debug/);
    assert.match(await ok('SAV CFG'), /LOG_LEVEL/);
    await ok('CLR LOG CONFIRM=YES');
    assert.deepEqual(lines(await ok('DSP LOG: LINES=1000')), []);
  });

  test('DSP LICENSEINFO reads the installed packages', async () => {
    const report = await ok('DSP LICENSEINFO');
    assert.match(report, /drachtio-srf +\d+\.\d+\.\d+ +MIT/);
    assert.match(report, /^ {2}ims-b2bua +\d/m);
    assert.doesNotMatch(report, /GPL/);
  });

  test('RST SERVICE ends the server and starts it anew in the same process, with what was set', async () => {
    const { dataDir } = calls.server;
    const before = readRunFacts(dataDir)!;
    assert.match(await ok('SET CFG: KEY=RTP_PORTS, VALUE=40000-40999'), /next start/);
    assert.match(await ok('RST SERVICE CONFIRM=YES'), /starts anew/);
    await waitFor('the server to be back', () => {
      const facts = readRunFacts(dataDir);
      return facts?.sip !== undefined && facts.startedAt !== before.startedAt;
    });
    const facts = readRunFacts(dataDir)!;
    assert.equal(facts.pid, before.pid);
    assert.match(await ok('LST CFG: KEY=RTP_PORTS'), /Value += {2}40000-40999\n +From += {2}stored/);
    assert.match(await ok('LST CFG: KEY=LOG_LEVEL'), /Value += {2}debug\n +From += {2}stored/);
    const port = Number(
      facts.sip
        .find((one) => one.startsWith('udp:'))
        ?.split(':')
        .at(-1),
    );
    const server = { address: '127.0.0.1', port };
    const [c, d] = [await calls.phone('1001', { server }), await calls.phone('1002', { server })];
    const call = await connect(c, d);
    await hangUp(c, d, call);
    assert.equal((await calls.recordsOf(call.invite.callId))[0]?.result, 'ANSWERED');
  });
});
