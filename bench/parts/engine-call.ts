import { setTimeout as delay } from 'node:timers/promises';
import { median } from '../harness/cpu.js';
import {
  EngineRig,
  FLOOR_APP_JS,
  type StartEngine,
  startDrachtio,
  startFloor,
  startOurs,
} from '../harness/engine-rig.js';
import type { Bench } from '../harness/plan.js';

const SETTLE_MS = 500;

interface CallCpu {
  readonly engineMs: number;
  readonly appMs: number;
  readonly failed: number;
}

interface Rigs {
  readonly ours: EngineRig;
  /** The same packets and frames without SIP work. */
  readonly floor: EngineRig;
  readonly drachtio?: EngineRig;
}

/** The CPU of a call at some rates, beside a drachtio-server where one is given, and beside Node's sockets alone. */
export async function callCost(bench: Bench): Promise<void> {
  const { plan } = bench;
  const started: EngineRig[] = [];
  try {
    const rigs = await startRigs(bench, started);
    for (const rig of started) await rig.load(plan.warmUpRate, plan.warmUpCalls);
    for (const rate of plan.engineRates) await costAtRate(bench, rigs, rate);
  } finally {
    for (const rig of started) await rig.stop();
  }
}

/** Starts them one after the other; each that runs is in `started`, also when a later one fails. */
async function startRigs(bench: Bench, started: EngineRig[]): Promise<Rigs> {
  const { drachtio, nodeArgs } = bench;
  const start = async (name: string, engine: StartEngine, appScript?: string): Promise<EngineRig> => {
    const rig = await EngineRig.start(bench, name, engine, appScript);
    started.push(rig);
    return rig;
  };
  const ours = await start('ours', startOurs(nodeArgs));
  const floor = await start('floor', startFloor, FLOOR_APP_JS);
  if (drachtio === undefined) return { ours, floor };
  return { ours, floor, drachtio: await start('drachtio', startDrachtio(drachtio)) };
}

async function costAtRate({ plan, report }: Bench, rigs: Rigs, rate: number): Promise<void> {
  const part = `engine alone: ims engine and a minimal drachtio-srf B2BUA, no digest, ${rate} calls a second`;
  const rounds: Record<keyof Rigs, CallCpu[]> = { ours: [], floor: [], drachtio: [] };
  // In turns: what else runs on the machine comes and goes.
  for (let i = 0; i < plan.rounds; i++)
    for (const [name, rig] of Object.entries(rigs) as [keyof Rigs, EngineRig][])
      rounds[name].push(await measure(rig, rate, plan.roundSec));
  const ours = medians(rounds.ours);
  const floor = medians(rounds.floor);
  const theirs = rigs.drachtio && medians(rounds.drachtio);
  const beside = (name: string, value: number | undefined) =>
    value === undefined ? {} : { reference: { name, value } };
  const unit = 'ms';
  report.add({
    part,
    what: 'CPU of a call, engine',
    value: ours.engineMs,
    unit,
    ...beside('drachtio-server', theirs?.engineMs),
  });
  report.add({
    part,
    what: 'CPU of a call, application',
    value: ours.appMs,
    unit,
    ...beside('drachtio-server', theirs?.appMs),
  });
  report.add({ part, what: 'the same packets and frames in bare Node', value: floor.engineMs, unit });
  report.add({ part, what: 'engine above that', value: ours.engineMs - floor.engineMs, unit });
  report.add({
    part,
    what: 'failed',
    value: ours.failed + floor.failed,
    unit: '',
    ...beside('drachtio-server', theirs?.failed),
  });
}

async function measure(rig: EngineRig, rate: number, seconds: number): Promise<CallCpu> {
  const before = rig.times();
  const { made, succeeded } = await rig.load(rate, rate * seconds);
  await delay(SETTLE_MS);
  const after = rig.times();
  return {
    engineMs: (after.engineMs - before.engineMs) / succeeded,
    appMs: (after.appMs - before.appMs) / succeeded,
    failed: made - succeeded,
  };
}

function medians(rounds: readonly CallCpu[]): CallCpu {
  return {
    engineMs: median(rounds.map(({ engineMs }) => engineMs)),
    appMs: median(rounds.map(({ appMs }) => appMs)),
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
  };
}
