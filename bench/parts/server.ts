import { setTimeout as delay } from 'node:timers/promises';
import { freeUdpPort } from '../../test/support/free-port.js';
import { BenchServer, writeUsers } from '../harness/bench-server.js';
import { median } from '../harness/cpu.js';
import { Kamailio } from '../harness/kamailio.js';
import { type RoleTimes, rolesBetween, totalMs } from '../harness/measured-process.js';
import type { Bench } from '../harness/plan.js';
import { Answerer, runLoad, type SippCounts } from '../harness/sipp.js';

const HOLD_MS = 200;
/** Time for records to reach the Store after the last call. */
const SETTLE_MS = 1500;
/** Registrations are cheaper than calls: more of them give a figure as steady. */
const REGISTERS_PER_CALL = 3;
/** Retransmissions per call that a held rate may have: a step is disturbed by other work on the machine. */
const RETRANSMISSIONS_MAX = 0.01;

/** The server whole: REGISTER, calls with digest, media control and record, memory, and the rate held. */
export async function benchServer(bench: Bench): Promise<void> {
  const kamailio = await benchKamailio(bench);
  const { dir, plan, nodeArgs } = bench;
  const server = await BenchServer.start({ dir: `${dir}/server`, users: plan.users, nodeArgs });
  try {
    await registers(bench, server, kamailio?.registerMs);
    await calls(bench, server, kamailio?.callMs);
    await memoryOfCalls(bench, server);
    await rateHeld(bench, server);
  } finally {
    await server.stop();
  }
}

interface KamailioFigures {
  readonly registerMs: number;
  readonly callMs: number;
}

/** The same load on Kamailio as a registrar and as a proxy, without authentication of calls. */
async function benchKamailio({ dir, plan, report }: Bench): Promise<KamailioFigures | undefined> {
  const answerer = Answerer.start(dir, await freeUdpPort());
  const kamailio = await Kamailio.start(dir, `127.0.0.1:${answerer.port}`);
  if (!kamailio) {
    await answerer.stop();
    report.note('kamailio is not installed: no reference for calls and registrations');
    return undefined;
  }
  const users = writeUsers(dir, plan.users);
  const load = async (scenario: string, rate: number): Promise<number> => {
    const before = kamailio.cpuMs();
    const options = { dir, scenario, target: kamailio.target, port: await freeUdpPort(), users };
    const counts = await runLoad({ ...options, rate, calls: rate * plan.roundSec, holdMs: HOLD_MS });
    return (kamailio.cpuMs() - before) / counts.succeeded;
  };
  try {
    const registerMs = await load('uac-register-digest.xml', plan.rate * REGISTERS_PER_CALL);
    const callMs = await load('uac-call.xml', plan.rate);
    return { registerMs, callMs };
  } finally {
    await kamailio.stop();
    await answerer.stop();
  }
}

async function registers({ plan, report }: Bench, server: BenchServer, reference?: number): Promise<void> {
  const part = 'REGISTER with challenge (401)';
  const rate = plan.rate * REGISTERS_PER_CALL;
  const before = await server.process.memory();
  const first = await server.register(plan.users, rate);
  const after = await server.process.memory();
  report.add({
    part,
    what: 'memory of a registration',
    value: (after.used - before.used) / first.succeeded / 1024,
    unit: 'KiB',
  });
  const rounds = await measure(server, plan.rounds, () => server.register(rate * plan.roundSec, rate));
  addCpu(report, part, 'REGISTER', rounds, reference, 'Kamailio');
}

async function calls({ plan, report }: Bench, server: BenchServer, reference?: number): Promise<void> {
  const part = 'calls: digest (407), media control, record; INVITE 180 200 ACK BYE 200';
  await server.call(plan.warmUpRate, plan.warmUpCalls, HOLD_MS);
  const rounds = await measure(server, plan.rounds, () =>
    server.call(plan.rate, plan.rate * plan.roundSec, HOLD_MS),
  );
  addCpu(report, part, 'call', rounds, reference, 'Kamailio as a proxy, no digest');
}

interface Round {
  readonly counts: SippCounts;
  readonly used: RoleTimes;
}

async function measure(
  server: BenchServer,
  rounds: number,
  load: () => Promise<SippCounts>,
): Promise<Round[]> {
  const results: Round[] = [];
  for (let i = 0; i < rounds; i++) {
    const before = server.process.roleTimes();
    const counts = await load();
    await delay(SETTLE_MS);
    results.push({ counts, used: rolesBetween(before, server.process.roleTimes()) });
  }
  return results;
}

function addCpu(
  report: Bench['report'],
  part: string,
  thing: string,
  rounds: readonly Round[],
  referenceMs: number | undefined,
  name: string,
): void {
  const per = (pick: (used: RoleTimes) => number): number =>
    median(rounds.map(({ used, counts }) => pick(used) / counts.succeeded));
  const value = per(totalMs);
  const reference = referenceMs === undefined ? {} : { reference: { name, value: referenceMs } };
  report.add({ part, what: `CPU of a ${thing}`, value, unit: 'ms', ...reference });
  for (const role of ['main', 'engine', 'relay', 'other']) {
    report.add({ part, what: `  of it ${role}`, value: per((used) => used[role] ?? 0), unit: 'ms' });
  }
  const sum = (pick: (counts: SippCounts) => number): number =>
    rounds.reduce((total, { counts }) => total + pick(counts), 0);
  report.add({ part, what: 'made', value: sum(({ made }) => made), unit: '' });
  report.add({ part, what: 'failed', value: sum(({ made, succeeded }) => made - succeeded), unit: '' });
  report.add({ part, what: 'retransmissions', value: sum((c) => c.retransmissions), unit: '' });
}

async function memoryOfCalls({ plan, report }: Bench, server: BenchServer): Promise<void> {
  const rampMs = (plan.heldCalls / plan.rate) * 1000;
  const before = await server.process.memory();
  const load = server.call(plan.rate, plan.heldCalls, rampMs + SETTLE_MS * 2);
  await delay(rampMs + SETTLE_MS);
  const during = await server.process.memory();
  const { succeeded } = await load;
  report.add({
    part: 'memory',
    what: `a connected call, of ${succeeded}`,
    value: (during.used - before.used) / succeeded / 1024,
    unit: 'KiB',
  });
  report.add({
    part: 'memory',
    what: 'resident set of the process',
    value: during.rss / 2 ** 20,
    unit: 'MiB',
  });
}

async function rateHeld({ plan, report }: Bench, server: BenchServer): Promise<void> {
  const part = 'rate held without failure';
  let held = 0;
  for (const rate of plan.rateSteps) {
    const isHeld = (await holds(server, rate, plan.stepSec)) || (await holds(server, rate, plan.stepSec));
    if (!isHeld) break;
    held = rate;
  }
  const isLast = held === plan.rateSteps.at(-1);
  report.add({
    part,
    what: `calls a second${isLast ? ' (the highest tried)' : ''}`,
    value: held,
    unit: '/s',
  });
}

async function holds(server: BenchServer, rate: number, seconds: number): Promise<boolean> {
  const { made, succeeded, retransmissions } = await server.call(rate, rate * seconds, HOLD_MS);
  return made === rate * seconds && succeeded === made && retransmissions <= made * RETRANSMISSIONS_MAX;
}
