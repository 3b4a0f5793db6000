import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../test/support/control-client.js';
import { freeUdpPort } from '../../test/support/free-port.js';
import { missing, programPath } from '../../test/support/peers.js';
import { sumMs, threadTimes } from '../harness/cpu.js';
import { MAIN_JS, MeasuredNode, stopProcess } from '../harness/measured-process.js';
import { type Bencoded, bencode, parseBencode } from './bencode.js';

/** A relay as the benchmark uses it. */
export interface BenchRelay {
  readonly name: string;
  /** CPU of the process so far, milliseconds. */
  cpuMs(): number;
  /** Makes a call between two ports of 127.0.0.1; resolves where either of the two shall send. */
  connect(callId: string, aPort: number, bPort: number): Promise<{ forA: number; forB: number }>;
  stop(): Promise<void>;
}

const ADDRESS = '127.0.0.1';
const REPLY_TIMEOUT_MS = 2000;
const READY_TRIES = 50;
const READY_PAUSE_MS = 100;

/** `ims relay`, by RTPProxy's commands. */
export async function startOurRelay(dir: string, nodeArgs: readonly string[]): Promise<BenchRelay> {
  const port = await freeUdpPort();
  const relay = await MeasuredNode.start(MAIN_JS, ['relay', '--control', `udp:${ADDRESS}:${port}`], {
    dir,
    env: { SERVER_IP: ADDRESS, RTP_PORTS: '10000-13999' },
    nodeArgs,
  });
  const control = await ControlClient.open(`rtpproxy+udp://${ADDRESS}:${port}`);
  return {
    name: 'ims relay',
    cpuMs: () => sumMs(threadTimes(relay.pid)),
    connect: async (callId, aPort, bPort) => {
      const forB = await control.port(`U ${callId} ${ADDRESS} ${aPort} a`);
      return { forB, forA: await control.port(`L ${callId} ${ADDRESS} ${bPort} a b`) };
    },
    stop: async () => {
      control.close();
      await relay.stop();
    },
  };
}

/** rtpengine in user space, by its NG protocol; undefined when it is not installed. */
export async function startRtpengine(dir: string): Promise<BenchRelay | undefined> {
  if (missing('rtpengine') !== false) return undefined;
  const port = await freeUdpPort();
  const args = ['--foreground', '--table=-1', `--interface=${ADDRESS}`, `--listen-ng=${ADDRESS}:${port}`];
  const ports = [
    '--port-min=14000',
    '--port-max=17999',
    '--log-level=2',
    '--log-stderr',
    '--config-file=none',
  ];
  const child = spawn(programPath('rtpengine'), [...args, ...ports], { cwd: dir, stdio: 'ignore' });
  const ng = new NgClient(port);
  await ng.ready(child);
  return {
    name: 'rtpengine in user space',
    cpuMs: () => sumMs(threadTimes(child.pid ?? 0)),
    connect: async (callId, aPort, bPort) => {
      const common = { 'call-id': callId, 'from-tag': 'a', ICE: 'remove' };
      const offer = await ng.ask({ ...common, command: 'offer', sdp: sdp(aPort) });
      const answer = await ng.ask({ ...common, command: 'answer', 'to-tag': 'b', sdp: sdp(bPort) });
      return { forB: mediaPort(offer), forA: mediaPort(answer) };
    },
    stop: async () => {
      ng.close();
      await stopProcess(child);
    },
  };
}

/** rtpengine's NG protocol over UDP: a cookie, a space, a bencoded dictionary. */
class NgClient {
  private readonly socket: Socket = createSocket('udp4');
  private count = 0;

  constructor(private readonly port: number) {
    // Nobody listens yet while the daemon starts.
    this.socket.on('error', () => undefined);
  }

  async ask(command: { [key: string]: Bencoded }): Promise<{ [key: string]: Bencoded }> {
    this.socket.send(`${process.pid}_${++this.count} ${bencode(command)}`, this.port, ADDRESS);
    const [datagram] = (await once(this.socket, 'message', {
      signal: AbortSignal.timeout(REPLY_TIMEOUT_MS),
    })) as [Buffer];
    const text = datagram.toString('latin1');
    const reply = parseBencode(text.slice(text.indexOf(' ') + 1)) as { [key: string]: Bencoded };
    if (reply['result'] === 'error') throw new Error(`rtpengine: ${String(reply['error-reason'])}`);
    return reply;
  }

  async ready(child: ChildProcess): Promise<void> {
    for (let i = 0; i < READY_TRIES && child.exitCode === null; i++) {
      this.socket.send(`${process.pid}_${++this.count} ${bencode({ command: 'ping' })}`, this.port, ADDRESS);
      const isAnswered = await Promise.race([
        once(this.socket, 'message').then(() => true),
        delay(READY_PAUSE_MS, false),
      ]);
      if (isAnswered) return;
    }
    await stopProcess(child);
    throw new Error('rtpengine did not start');
  }

  close(): void {
    this.socket.close();
  }
}

function sdp(port: number): string {
  return [
    'v=0',
    `o=- 1 1 IN IP4 ${ADDRESS}`,
    's=-',
    `c=IN IP4 ${ADDRESS}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    'a=sendrecv',
    '',
  ].join('\r\n');
}

function mediaPort(reply: { [key: string]: Bencoded }): number {
  const port = Number(/^m=audio (\d+) /m.exec(String(reply['sdp']))?.[1]);
  if (!port) throw new Error(`rtpengine gave no port: ${JSON.stringify(reply)}`);
  return port;
}
