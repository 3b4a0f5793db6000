import { setTimeout as delay } from 'node:timers/promises';
import { median } from '../harness/cpu.js';
import { EngineRig, type StartEngine, startDrachtio, startOurs } from '../harness/engine-rig.js';
import type { Bench } from '../harness/plan.js';
import { cpuByDialogs } from './engine-dialogs.js';
import { idleState } from './engine-idle.js';
import { profileByLayer } from './engine-profile.js';

const SETTLE_MS = 500;

interface EngineCpu {
  readonly engineMs: number;
  readonly appMs: number;
  readonly failed: number;
}

/** The engine alone: the cost of a call beside a drachtio-server where one is given, of many dialogs, of what is idle. */
export async function benchEngine(bench: Bench): Promise<void> {
  await callCost(bench);
  await cpuByDialogs(bench);
  await idleState(bench);
  await profileByLayer(bench);
}

async function callCost(bench: Bench): Promise<void> {
  const { report, drachtio, nodeArgs } = bench;
  const part = 'engine alone: ims engine and a minimal drachtio-srf B2BUA, no digest';
  const theirs =
    drachtio === undefined ? undefined : await measureEngine(bench, 'drachtio', startDrachtio(drachtio));
  const ours = await measureEngine(bench, 'ours', startOurs(nodeArgs));
  const beside = (value: number | undefined) =>
    value === undefined ? {} : { reference: { name: 'drachtio-server', value } };
  const unit = 'ms';
  report.add({
    part,
    what: 'CPU of a call, engine',
    value: ours.engineMs,
    unit,
    ...beside(theirs?.engineMs),
  });
  report.add({
    part,
    what: 'CPU of a call, application',
    value: ours.appMs,
    unit,
    ...beside(theirs?.appMs),
  });
  report.add({ part, what: 'failed', value: ours.failed, unit: '' });
}

async function measureEngine(bench: Bench, name: string, start: StartEngine): Promise<EngineCpu> {
  const { plan } = bench;
  const rig = await EngineRig.start(bench, name, start);
  try {
    await rig.load(plan.warmUpRate, plan.warmUpCalls);
    const rounds: EngineCpu[] = [];
    for (let i = 0; i < plan.rounds; i++) {
      const before = rig.times();
      const { made, succeeded } = await rig.load(plan.rate, plan.rate * plan.roundSec);
      await delay(SETTLE_MS);
      const after = rig.times();
      rounds.push({
        engineMs: (after.engineMs - before.engineMs) / succeeded,
        appMs: (after.appMs - before.appMs) / succeeded,
        failed: made - succeeded,
      });
    }
    return {
      engineMs: median(rounds.map((round) => round.engineMs)),
      appMs: median(rounds.map((round) => round.appMs)),
      failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
    };
  } finally {
    await rig.stop();
  }
}
