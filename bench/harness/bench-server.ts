import { mkdirSync, writeFileSync } from 'node:fs';
import { readRunFacts } from '../../src/app/run-file.js';
import { freeUdpPort } from '../../test/support/free-port.js';
import { runIms } from '../../test/support/server.js';
import { MAIN_JS, MeasuredNode } from './measured-process.js';
import { Answerer, runLoad, type SippCounts } from './sipp.js';

const PASSWORD = 'bench-secret';
const REGISTER_RATE = 400;
/** Ports of the relay below those that the system hands out. */
const RTP_PORTS = '10000-19999';

export interface BenchServerOptions {
  readonly dir: string;
  readonly users: number;
  readonly nodeArgs?: readonly string[];
}

/** The server as an operator runs it, with users, and with phones that answer. */
export class BenchServer {
  private answerer: Answerer | undefined;

  private constructor(
    readonly process: MeasuredNode,
    readonly target: string,
    readonly usersFile: string,
    private readonly options: BenchServerOptions,
    private readonly phonesPort: number,
  ) {}

  static async start(options: BenchServerOptions): Promise<BenchServer> {
    const { dir, users, nodeArgs = [] } = options;
    const dataDir = `${dir}/data`;
    mkdirSync(dataDir, { recursive: true });
    const env = {
      DATA_DIR: dataDir,
      SERVER_IP: '127.0.0.1',
      SIP_LISTEN: 'udp:127.0.0.1:0',
      MML_LISTEN: '127.0.0.1:0',
      LOG_FORMAT: 'json',
      ADMIN_PASSWORD: 'bench-admin-secret',
      DRAIN_SEC: '0',
      RTP_PORTS,
      MAX_CALLS: '20000',
    };
    await importUsers(dir, users, env);
    const process = await MeasuredNode.start(MAIN_JS, ['start'], { dir, env, nodeArgs });
    const listener = readRunFacts(dataDir)?.sip[0] ?? '';
    const target = listener.replace(/^udp:/, '');
    return new BenchServer(process, target, writeUsers(dir, users), options, await freeUdpPort());
  }

  /** Registers so many users, each with a challenge, from the socket that answers calls later. */
  register(calls: number, rate = REGISTER_RATE): Promise<SippCounts> {
    return runLoad({
      dir: this.options.dir,
      scenario: 'uac-register-digest.xml',
      target: this.target,
      port: this.phonesPort,
      users: this.usersFile,
      rate,
      calls,
    });
  }

  /** Makes calls with a challenge each between registered users. */
  async call(rate: number, calls: number, holdMs: number): Promise<SippCounts> {
    this.answerer ??= Answerer.start(this.options.dir, this.phonesPort);
    return runLoad({
      dir: this.options.dir,
      scenario: 'uac-call-digest.xml',
      target: this.target,
      port: await freeUdpPort(),
      users: this.usersFile,
      rate,
      calls,
      holdMs,
    });
  }

  async stop(): Promise<void> {
    await this.answerer?.stop();
    await this.process.stop();
  }
}

/** Caller, credentials and callee for sipp: each user calls the next one. */
export function writeUsers(dir: string, users: number): string {
  const file = `${dir}/users.csv`;
  const line = (i: number): string =>
    `${userName(i)};[authentication username=${userName(i)} password=${PASSWORD}];${userName((i + 1) % users)}`;
  const lines = Array.from({ length: users }, (_, i) => line(i));
  writeFileSync(file, `SEQUENTIAL\n${lines.join('\n')}\n`);
  return file;
}

function userName(i: number): string {
  return String(10_000 + i);
}

async function importUsers(dir: string, users: number, env: Record<string, string>): Promise<void> {
  const file = `${dir}/import.csv`;
  const lines = Array.from({ length: users }, (_, i) => `${userName(i)},${PASSWORD}`);
  writeFileSync(file, `username,password\n${lines.join('\n')}\n`);
  const { code, stderr } = await runIms({ ...processEnv(), ...env }, ['user', 'import', file]);
  if (code !== 0) throw new Error(`ims user import: ${stderr}`);
}

function processEnv(): Record<string, string> {
  return process.env as Record<string, string>;
}
