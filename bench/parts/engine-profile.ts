import { mkdirSync, readdirSync } from 'node:fs';
import { EngineRig, startOurs } from '../harness/engine-rig.js';
import { shareOfLayers } from '../harness/layers.js';
import type { Bench } from '../harness/plan.js';

/** Where the engine's time goes while it carries calls, by layer; V8's profiler adds to it what it costs itself. */
export async function profileByLayer(bench: Bench): Promise<void> {
  const { plan, report } = bench;
  const part = 'where the time of a call goes, engine';
  const dir = `${bench.dir}/layers`;
  mkdirSync(dir, { recursive: true });
  const rig = await EngineRig.start(bench, 'profiled', startOurs(['--cpu-prof', `--cpu-prof-dir=${dir}`]));
  try {
    await rig.load(plan.warmUpRate, plan.warmUpCalls);
    await rig.load(plan.rate, plan.rate * plan.roundSec);
  } finally {
    await rig.stop();
  }
  for (const file of readdirSync(dir))
    for (const [layer, share] of shareOfLayers(`${dir}/${file}`))
      report.add({ part, what: layer, value: 100 * share, unit: '%' });
}
