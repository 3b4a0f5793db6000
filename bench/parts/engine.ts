import type { Bench } from '../harness/plan.js';
import { callCost } from './engine-call.js';
import { cpuByDialogs } from './engine-dialogs.js';
import { idleState } from './engine-idle.js';
import { profileByLayer } from './engine-profile.js';

/** The engine alone: the cost of a call beside a drachtio-server where one is given, of many dialogs, of what is idle. */
export async function benchEngine(bench: Bench): Promise<void> {
  await callCost(bench);
  await cpuByDialogs(bench);
  await idleState(bench);
  await profileByLayer(bench);
}
