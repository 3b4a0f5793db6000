import { Inbox } from './inbox.js';
import { RawUdp } from './raw-sockets.js';
import { responseText } from './sip-text.js';

/** What a target does with a request: a status to answer with, none to stay silent, or as the function says. */
export type Policy = number | undefined | ((request: string) => number | undefined);

/** A SIP server on UDP that answers from the first response on as it is told, and keeps the requests. */
export class Target {
  readonly requests = new Inbox<string>();
  /** All that came, repeats included. */
  readonly log: string[] = [];
  private readonly branches = new Set<string>();

  private constructor(
    private readonly udp: RawUdp,
    readonly address: string,
    public policy: Policy,
    private readonly enginePort: number,
  ) {
    udp.onMessage = (text) => this.receive(text);
  }

  /** Answers to the engine at 127.0.0.1, or ::1 from an IPv6 address. */
  static async open(enginePort: number, address: string, policy?: Policy, port = 0): Promise<Target> {
    return new Target(await RawUdp.open(address, port), address, policy, enginePort);
  }

  get port(): number {
    return this.udp.port;
  }

  /** Header lines of each response, Contact for one. */
  headers: readonly string[] = [];

  respond(request: string, statusCode: number): void {
    const options = { headers: this.headers, toTag: `t${this.port}` };
    this.send(responseText(request, statusCode, options));
  }

  send(text: string): void {
    this.udp.send(text, this.enginePort, this.address.includes(':') ? '::1' : '127.0.0.1');
  }

  close(): Promise<void> {
    return this.udp.close();
  }

  private receive(text: string): void {
    this.log.push(text);
    const key = `${text.split(' ')[0]} ${/branch=([^;\s]+)/.exec(text)?.[1]}`;
    if (!this.branches.has(key)) this.requests.push(text);
    this.branches.add(key);
    if (text.startsWith('ACK') || text.startsWith('SIP/2.0')) return;
    const status = typeof this.policy === 'function' ? this.policy(text) : this.policy;
    if (status !== undefined) this.respond(text, status);
  }
}
