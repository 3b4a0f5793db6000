import type { Report } from './report.js';

/** How much each part does. */
export interface Plan {
  /** Users in the server: registered in the registration part. */
  readonly users: number;
  /** CPU per call is measured so many times; the median counts. */
  readonly rounds: number;
  readonly roundSec: number;
  /** Calls (and, times four, registrations) a second while CPU is measured. */
  readonly rate: number;
  /** The same for the engine alone: on a virtual machine a packet costs more when its receiver sleeps. */
  readonly engineRates: readonly number[];
  /** Calls made before, at `warmUpRate`: code is compiled by being run, the last of it after some ten thousand. */
  readonly warmUpCalls: number;
  readonly warmUpRate: number;
  /** Calls that are up at once while memory is measured. */
  readonly heldCalls: number;
  /** Rates tried one after the other until one is not held. */
  readonly rateSteps: readonly number[];
  readonly stepSec: number;
  /** Dialogs that are up while the cost of a message is measured. */
  readonly dialogSteps: readonly number[];
  readonly connections: number;
  readonly bindings: number;
  readonly relayCalls: number;
  readonly relaySec: number;
}

export const FULL: Plan = {
  users: 2000,
  rounds: 3,
  roundSec: 4,
  rate: 400,
  engineRates: [200, 400, 800],
  warmUpCalls: 12_000,
  warmUpRate: 400,
  heldCalls: 500,
  rateSteps: [50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000],
  stepSec: 3,
  dialogSteps: [10, 100, 1000, 10_000],
  connections: 10_000,
  bindings: 100_000,
  relayCalls: 200,
  relaySec: 5,
};

export const QUICK: Plan = {
  users: 500,
  rounds: 1,
  roundSec: 3,
  rate: 400,
  engineRates: [200, 800],
  warmUpCalls: 1200,
  warmUpRate: 400,
  heldCalls: 150,
  rateSteps: [100, 200, 400, 600, 800],
  stepSec: 2,
  dialogSteps: [10, 1000],
  connections: 2000,
  bindings: 100_000,
  relayCalls: 50,
  relaySec: 2,
};

/** What a part of the benchmark gets. */
export interface Bench {
  readonly plan: Plan;
  readonly report: Report;
  /** A directory for everything it writes; removed at the end. */
  readonly dir: string;
  /** A command that starts a drachtio-server, with `{sip}`, `{admin}` and `{secret}` in it. */
  readonly drachtio: string | undefined;
  readonly nodeArgs: readonly string[];
}
