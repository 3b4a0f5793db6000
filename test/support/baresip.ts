import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { toneOfSamples } from '../../src/testkit/tone.js';
import { freeTcpPort } from './free-port.js';
import { freePorts } from './free-ports.js';
import { programPath } from './peers.js';
import { waitFor } from './wait-for.js';
import { readWav, writeToneWav } from './wav.js';

const READY_TIMEOUT_MS = 10_000;
const EVENT_TIMEOUT_MS = 10_000;
const TONE_SEC = 120;
/** Audio looked at in one go: 0.6 s. */
const LISTEN_SAMPLES = 4800;

export interface BaresipOptions {
  readonly username: string;
  readonly password: string;
  /** Where it sends SIP. */
  readonly server: { readonly address: string; readonly port: number };
  /** Tone it talks with. */
  readonly toneHz: number;
  readonly transport?: 'udp' | 'tcp' | 'tls';
  /** Authorities for TLS, PEM file. */
  readonly caFile?: string;
  /** Further modules: `mwi`, `presence`. */
  readonly modules?: readonly string[];
  /** Lines of its contacts, `"Bob" <sip:…>;presence=p2p`. */
  readonly contacts?: readonly string[];
  /** Further parameters of its account, such as `;pubint=60`. */
  readonly account?: string;
}

/** What happened in baresip, as its ctrl_tcp module tells: `CALL_ESTABLISHED`, `REGISTER_OK`, … */
interface BaresipEvent {
  readonly type: string;
  readonly param?: string;
}

/** A real baresip without a sound card: it talks with a tone from a file and records what it hears. */
export class Baresip {
  private readonly events: BaresipEvent[] = [];
  private received = Buffer.alloc(0);
  private output = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
    /** SIP port, the one its Contact names. */
    readonly sipPort: number,
  ) {
    child.stdout?.on('data', (chunk) => {
      this.output += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      this.output += chunk;
    });
  }

  private socket: Socket | undefined;

  /** Starts it and waits until it takes commands; it registers by itself. The caller closes it. */
  static async start(options: BaresipOptions): Promise<Baresip> {
    const directory = mkdtempSync(join(tmpdir(), 'ims-baresip-'));
    // Nobody else is given these, as one may be that is free for any use; for TLS it takes the one above its own.
    const { min: sipPort, max } = await freePorts(10);
    const rtp = { min: sipPort + 2, max };
    const controlPort = await freeTcpPort();
    writeToneWav(join(directory, 'tone.wav'), options.toneHz, TONE_SEC);
    writeFileSync(join(directory, 'config'), configText(directory, sipPort, controlPort, rtp, options));
    writeFileSync(join(directory, 'accounts'), accountText(options));
    writeFileSync(join(directory, 'contacts'), (options.contacts ?? []).map((line) => `${line}\n`).join(''));
    const child = spawn(programPath('baresip'), ['-4', '-s', '-f', directory], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const phone = new Baresip(child, directory, sipPort);
    try {
      await phone.connect(controlPort);
      return phone;
    } catch (error) {
      await phone.close();
      throw new Error(`baresip does not answer:\n${phone.output}`, { cause: error });
    }
  }

  /** Resolves when it is registered; rejects when it was refused. It registers before it can be asked, so what it prints tells. */
  async registered(): Promise<void> {
    await waitFor('registration', () => /\} 200 OK .*\[\d+ binding/.test(this.output) || this.isRefused());
    if (this.isRefused()) throw new Error(`baresip was refused:\n${this.log()}`);
  }

  /** Resolves when its registration was refused for good. */
  async refused(): Promise<void> {
    await waitFor('refusal', () => this.isRefused());
  }

  /** Sends a command of baresip's menu: `dial`, `accept`, `hold`, `resume`, `hangup`. */
  command(command: string, params?: string): void {
    const text = JSON.stringify({ command, ...(params !== undefined && { params }), token: 'test' });
    this.socket?.write(`${Buffer.byteLength(text)}:${text},`);
  }

  /** Resolves the next event of that type which was not waited for yet; events of other types before it are dropped. */
  async event(type: string, timeoutMs = EVENT_TIMEOUT_MS): Promise<BaresipEvent> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const at = this.events.findIndex((event) => event.type === type);
      if (at >= 0) return this.events.splice(0, at + 1).at(-1)!;
      if (Date.now() > deadline) throw new Error(`no ${type} within ${timeoutMs} ms:\n${this.log()}`);
      await delay(10);
    }
  }

  /** Whether an event of that type came that was not waited for yet. */
  has(type: string): boolean {
    return this.events.some((event) => event.type === type);
  }

  /**
   * Which of `candidatesHz` its recording holds from now on, 0 for none of them; rejects when it does not grow. It
   * stops for good at the first new offer of a call: baresip 1.0 then takes its recording filter out.
   */
  async hears(candidatesHz: readonly number[]): Promise<number> {
    const before = this.samples().length;
    // The first tenth of a second may still be what was under way.
    await waitFor('audio to arrive', () => this.samples().length >= before + LISTEN_SAMPLES + 800);
    return toneOfSamples(this.samples().slice(-LISTEN_SAMPLES), candidatesHz);
  }

  /** Samples heard so far. */
  samples(): number[] {
    return readdirSync(this.directory)
      .filter((name) => name.endsWith('-dec.wav'))
      .map((name) => join(this.directory, name))
      .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
      .flatMap(readWav);
  }

  /** Resolves when it has printed that. */
  async printed(pattern: RegExp, timeoutMs = EVENT_TIMEOUT_MS): Promise<void> {
    try {
      await waitFor(String(pattern), () => pattern.test(this.output), timeoutMs);
    } catch (error) {
      throw new Error(`${String(pattern)} was not printed:\n${this.log()}`, { cause: error });
    }
  }

  /** What it printed, SIP messages included, and the events not looked at. */
  log(): string {
    return `${this.output.slice(-8000)}\nevents: ${this.events.map(({ type }) => type).join(' ')}`;
  }

  async close(): Promise<void> {
    this.socket?.destroy();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exited;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  private isRefused(): boolean {
    return /reg: \S+ \d{3} /.test(this.output);
  }

  private async connect(port: number): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    for (;;) {
      const socket = connect(port, '127.0.0.1');
      try {
        await once(socket, 'connect');
        socket.on('data', (chunk) => this.receive(chunk));
        socket.on('error', () => undefined);
        this.socket = socket;
        return;
      } catch (error) {
        socket.destroy();
        if (Date.now() > deadline || this.child.exitCode !== null) throw error;
        await delay(20);
      }
    }
  }

  /** Netstrings that hold JSON. */
  private receive(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    for (;;) {
      const colon = this.received.indexOf(':');
      const end = colon + 1 + Number(this.received.toString('latin1', 0, Math.max(colon, 0)));
      if (colon < 1 || this.received.length <= end) return;
      const message = JSON.parse(this.received.toString('utf8', colon + 1, end)) as BaresipEvent;
      if (message.type) this.events.push(message);
      this.received = this.received.subarray(end + 1);
    }
  }
}

function accountText({
  username,
  password,
  server,
  transport = 'udp',
  account = '',
}: BaresipOptions): string {
  const uri = `sip:${username}@${server.address}:${server.port};transport=${transport}`;
  return `<${uri}>;auth_user=${username};auth_pass=${password};regint=60;answermode=manual;audio_codecs=pcmu${account}\n`;
}

function configText(
  directory: string,
  sipPort: number,
  controlPort: number,
  rtp: { min: number; max: number },
  { caFile, modules = [] }: Pick<BaresipOptions, 'caFile' | 'modules'>,
): string {
  const tls = caFile === undefined ? '' : `sip_cafile ${caFile}\nsip_verify_server yes\n`;
  return `
sip_listen 127.0.0.1:${sipPort}
${tls}net_interface 127.0.0.1
call_local_timeout 120
audio_path /nonexistent
audio_source aufile,${directory}/tone.wav
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports ${rtp.min}-${rtp.max}
jitter_buffer_delay 1-5
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module sndfile.so
module aubridge.so
module ctrl_tcp.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
${modules.map((name) => `module_app ${name}.so\n`).join('')}ctrl_tcp_listen 127.0.0.1:${controlPort}
snd_path ${directory}
`;
}
