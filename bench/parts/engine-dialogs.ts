import { setTimeout as delay } from 'node:timers/promises';
import { EngineRig, startOurs } from '../harness/engine-rig.js';
import type { Bench } from '../harness/plan.js';

/** SIP messages of one call on both legs: in 3 requests and 3 responses, out 3 requests and 4 responses. */
const MESSAGES_PER_CALL = 13;
const MEASURED_CALLS = 1000;
const DIALOGS_PER_CALL = 2;
const SETTLE_MS = 500;
/** Calls that are to stay up outlive the part. */
const HELD_MS = 600_000;

/** What a message costs while so many dialogs are up: it should be the same for few and for many. */
export async function cpuByDialogs(bench: Bench): Promise<void> {
  const { plan, report, nodeArgs } = bench;
  const part = 'CPU of a SIP message with so many dialogs up, engine';
  const rig = await EngineRig.start(bench, 'dialogs', startOurs(nodeArgs));
  try {
    await rig.load(plan.warmUpRate, plan.warmUpCalls);
    let dialogs = 0;
    for (const wanted of plan.dialogSteps) {
      const calls = Math.ceil((wanted - dialogs) / DIALOGS_PER_CALL);
      await rig.hold(plan.rate, calls, HELD_MS);
      await delay((calls / plan.rate) * 1000 + SETTLE_MS);
      dialogs += calls * DIALOGS_PER_CALL;
      const before = rig.times();
      const { succeeded } = await rig.load(plan.rate, MEASURED_CALLS);
      const usedMs = rig.times().engineMs - before.engineMs;
      report.add({
        part,
        what: `${dialogs.toLocaleString('en')} dialogs`,
        value: (1000 * usedMs) / (succeeded * MESSAGES_PER_CALL),
        unit: 'µs',
      });
    }
  } finally {
    await rig.stop();
  }
}
