import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freeTcpPort, freeUdpPort } from '../../test/support/free-port.js';
import { writeUsers } from '../harness/bench-server.js';
import { median, sumMs, threadTimes } from '../harness/cpu.js';
import { MAIN_JS, MeasuredNode, stopProcess } from '../harness/measured-process.js';
import type { Bench } from '../harness/plan.js';
import { untilAnswersSip } from '../harness/sip-ping.js';
import { Answerer, runLoad } from '../harness/sipp.js';

const APP_JS = fileURLToPath(new URL('./b2bua-process.js', import.meta.url));
const SECRET = 'bench-secret';
const HOLD_MS = 200;
const SETTLE_MS = 500;

interface EngineCpu {
  readonly engineMs: number;
  readonly appMs: number;
  readonly failed: number;
}

interface StartedEngine {
  readonly pid: number;
  stop(): Promise<void>;
}

/** The engine alone under the smallest B2BUA, beside a drachtio-server where one is given. */
export async function benchEngine(bench: Bench): Promise<void> {
  const { report, drachtio } = bench;
  const part = 'engine alone: ims engine and a minimal drachtio-srf B2BUA, no digest';
  const theirs =
    drachtio === undefined
      ? undefined
      : await measureEngine(bench, 'drachtio', (sip, admin) =>
          startDrachtio(bench.dir, drachtio, sip, admin),
        );
  const ours = await measureEngine(bench, 'ours', (sip, admin) => startOurs(bench, sip, admin));
  const beside = (value: number | undefined) =>
    value === undefined ? {} : { reference: { name: 'drachtio-server', value } };
  report.add({
    part,
    what: 'CPU of a call, engine',
    value: ours.engineMs,
    unit: 'ms',
    ...beside(theirs?.engineMs),
  });
  report.add({
    part,
    what: 'CPU of a call, application',
    value: ours.appMs,
    unit: 'ms',
    ...beside(theirs?.appMs),
  });
  report.add({ part, what: 'failed', value: ours.failed, unit: '' });
}

async function measureEngine(
  { dir, plan, nodeArgs }: Bench,
  name: string,
  start: (sip: number, admin: number) => Promise<StartedEngine>,
): Promise<EngineCpu> {
  const own = `${dir}/${name}`;
  mkdirSync(own, { recursive: true });
  const [sip, admin] = [await freeUdpPort(), await freeTcpPort()];
  const answerer = Answerer.start(own, await freeUdpPort());
  const engine = await start(sip, admin);
  const callee = `127.0.0.1:${answerer.port}`;
  const app = await MeasuredNode.start(APP_JS, ['app', String(admin), SECRET, callee], {
    dir: own,
    nodeArgs,
  });
  const users = writeUsers(own, plan.users);
  const load = async (rate: number, calls: number) => {
    const options = { dir: own, scenario: 'uac-call.xml', target: `127.0.0.1:${sip}`, users };
    return runLoad({ ...options, port: await freeUdpPort(), rate, calls, holdMs: HOLD_MS });
  };
  try {
    await load(plan.warmUpRate, plan.warmUpCalls);
    const rounds: EngineCpu[] = [];
    for (let i = 0; i < plan.rounds; i++) {
      const before = [threadTimes(engine.pid), threadTimes(app.pid)].map(sumMs);
      const { made, succeeded } = await load(plan.rate, plan.rate * plan.roundSec);
      await delay(SETTLE_MS);
      const after = [threadTimes(engine.pid), threadTimes(app.pid)].map(sumMs);
      const [engineMs = 0, appMs = 0] = after.map((ms, at) => (ms - (before[at] ?? 0)) / succeeded);
      rounds.push({ engineMs, appMs, failed: made - succeeded });
    }
    return {
      engineMs: median(rounds.map((round) => round.engineMs)),
      appMs: median(rounds.map((round) => round.appMs)),
      failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
    };
  } finally {
    await app.stop();
    await engine.stop();
    await answerer.stop();
  }
}

async function startOurs({ dir, nodeArgs }: Bench, sip: number, admin: number): Promise<StartedEngine> {
  const env = { SIP_LISTEN: `udp:127.0.0.1:${sip}`, SERVER_IP: '127.0.0.1', ENGINE_SECRET: SECRET };
  const args = ['engine', '--admin', `127.0.0.1:${admin}`];
  const engine = await MeasuredNode.start(MAIN_JS, args, { dir: `${dir}/ours`, env, nodeArgs });
  return { pid: engine.pid, stop: () => engine.stop() };
}

async function startDrachtio(
  dir: string,
  command: string,
  sip: number,
  admin: number,
): Promise<StartedEngine> {
  const [program = '', ...args] = command
    .replaceAll('{sip}', String(sip))
    .replaceAll('{admin}', String(admin))
    .replaceAll('{secret}', SECRET)
    .split(' ');
  const child: ChildProcess = spawn(program, args, { cwd: dir, stdio: 'ignore' });
  await untilAnswersSip(sip);
  return { pid: child.pid ?? 0, stop: () => stopProcess(child) };
}
