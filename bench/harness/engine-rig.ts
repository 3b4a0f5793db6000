import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freeTcpPort, freeUdpPort } from '../../test/support/free-port.js';
import { writeUsers } from './bench-server.js';
import { sumMs, threadTimes } from './cpu.js';
import { MAIN_JS, MeasuredNode, stopProcess } from './measured-process.js';
import type { Bench } from './plan.js';
import { untilAnswersSip } from './sip-ping.js';
import { Answerer, HeldCalls, type LoadOptions, runLoad, type SippCounts } from './sipp.js';

const APP_JS = fileURLToPath(new URL('../parts/b2bua-process.js', import.meta.url));
const FLOOR_JS = fileURLToPath(new URL('../parts/floor-process.js', import.meta.url));
/** The application of `startFloor`. */
export const FLOOR_APP_JS = fileURLToPath(new URL('../parts/floor-app-process.js', import.meta.url));
const SECRET = 'bench-secret';
const HOLD_MS = 200;

/** An engine as a process of its own. */
export interface StartedEngine {
  readonly pid: number;
  /** Undefined for one that is no Node process of ours. */
  readonly node: MeasuredNode | undefined;
  stop(): Promise<void>;
}

export type StartEngine = (dir: string, sip: number, admin: number) => Promise<StartedEngine>;

/** CPU so far of the engine and of its application, milliseconds. */
export interface RigTimes {
  readonly engineMs: number;
  readonly appMs: number;
}

/** An engine with the smallest drachtio-srf B2BUA and a phone that answers. */
export class EngineRig {
  private readonly held: HeldCalls[] = [];

  private constructor(
    readonly engine: StartedEngine,
    readonly sipPort: number,
    private readonly app: MeasuredNode,
    private readonly answerer: Answerer,
    private readonly dir: string,
    private readonly users: string,
  ) {}

  static async start(bench: Bench, name: string, start: StartEngine, appScript = APP_JS): Promise<EngineRig> {
    const dir = `${bench.dir}/${name}`;
    mkdirSync(dir, { recursive: true });
    const [sip, admin] = [await freeUdpPort(), await freeTcpPort()];
    const answerer = Answerer.start(dir, await freeUdpPort());
    const engine = await start(dir, sip, admin);
    const callee = `127.0.0.1:${answerer.port}`;
    const app = await MeasuredNode.start(appScript, ['app', String(admin), SECRET, callee], { dir });
    return new EngineRig(engine, sip, app, answerer, dir, writeUsers(dir, bench.plan.users));
  }

  times(): RigTimes {
    const [engineMs = 0, appMs = 0] = [this.engine.pid, this.app.pid].map((pid) => sumMs(threadTimes(pid)));
    return { engineMs, appMs };
  }

  /** Makes calls that end by themselves; resolves when all have. */
  async load(rate: number, calls: number, holdMs = HOLD_MS): Promise<SippCounts> {
    return runLoad(await this.options(rate, calls, holdMs));
  }

  /** Begins calls that stay up until `stop`, at most so long. */
  async hold(rate: number, calls: number, holdMs: number): Promise<void> {
    this.held.push(new HeldCalls(await this.options(rate, calls, holdMs)));
  }

  async stop(): Promise<void> {
    await this.app.stop();
    await this.engine.stop();
    for (const calls of this.held) await calls.drop();
    await this.answerer.stop();
  }

  private async options(rate: number, calls: number, holdMs: number): Promise<LoadOptions> {
    const target = `127.0.0.1:${this.sipPort}`;
    const { dir, users } = this;
    return { dir, scenario: 'uac-call.xml', target, users, port: await freeUdpPort(), rate, calls, holdMs };
  }
}

/** `ims engine` on UDP and TCP. */
export function startOurs(nodeArgs: readonly string[] = []): StartEngine {
  return async (dir, sip, admin) => {
    const env = {
      SIP_LISTEN: `udp:127.0.0.1:${sip},tcp:127.0.0.1:${sip}`,
      SERVER_IP: '127.0.0.1',
      ENGINE_SECRET: SECRET,
    };
    const args = ['engine', '--admin', `127.0.0.1:${admin}`];
    const node = await MeasuredNode.start(MAIN_JS, args, { dir, env, nodeArgs });
    return { pid: node.pid, node, stop: () => node.stop() };
  };
}

/** A bare Node process with the packets and frames of a call and no SIP work, for `FLOOR_APP_JS`. */
export const startFloor: StartEngine = async (dir, sip, admin) => {
  const node = await MeasuredNode.start(FLOOR_JS, ['engine', String(sip), String(admin)], { dir });
  return { pid: node.pid, node, stop: () => node.stop() };
};

/** A drachtio-server by the command that starts it, with `{sip}`, `{admin}` and `{secret}` in it. */
export function startDrachtio(command: string): StartEngine {
  return async (dir, sip, admin) => {
    const [program = '', ...args] = command
      .replaceAll('{sip}', String(sip))
      .replaceAll('{admin}', String(admin))
      .replaceAll('{secret}', SECRET)
      .split(' ');
    const child: ChildProcess = spawn(program, args, { cwd: dir, stdio: 'ignore' });
    await untilAnswersSip(sip);
    return { pid: child.pid ?? 0, node: undefined, stop: () => stopProcess(child) };
  };
}
