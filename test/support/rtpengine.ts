import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { freeTcpPort, freeUdpPort } from './free-port.js';
import { freePorts } from './free-ports.js';
import { programPath } from './peers.js';
import { waitFor } from './wait-for.js';

/** A real rtpengine in user space, commanded in RTPProxy's protocol. */
export class Rtpengine {
  private child: ChildProcess;

  private constructor(
    private readonly args: readonly string[],
    private readonly control: number,
  ) {
    this.child = this.run();
  }

  /** For MEDIA_RELAY. */
  get url(): string {
    return `rtpproxy+udp://127.0.0.1:${this.control}`;
  }

  /** Starts it on free ports of 127.0.0.1 and waits until it answers. The caller closes it. */
  static async start(): Promise<Rtpengine> {
    const [control, cli] = [await freeUdpPort(), await freeTcpPort()];
    const rtp = await freePorts(400);
    const args = [
      '--table=-1',
      '--interface=127.0.0.1',
      `--listen-udp=127.0.0.1:${control}`,
      `--listen-cli=127.0.0.1:${cli}`,
      `--port-min=${rtp.min}`,
      `--port-max=${rtp.max}`,
      '--foreground',
      '--log-stderr',
      '--log-level=4',
    ];
    const engine = new Rtpengine(args, control);
    try {
      await waitFor('rtpengine', () => answers(control));
      return engine;
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /** Starts it anew on its ports: version 10.5 now and then answers nothing any more after a delete while packets flow. */
  async restart(): Promise<void> {
    await this.close();
    this.child = this.run();
    await waitFor('rtpengine', () => answers(this.control));
  }

  private run(): ChildProcess {
    return spawn(programPath('rtpengine'), this.args, { stdio: 'ignore' });
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    const answered = once(socket, 'message', { signal: AbortSignal.timeout(300) });
    socket.send('look V', port, '127.0.0.1');
    await answered;
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
