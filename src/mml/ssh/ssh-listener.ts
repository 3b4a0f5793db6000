import type { Socket } from 'node:net';
import ssh2 from 'ssh2';
import { errorMessage } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import { KEEPALIVE_MS } from '../limits.js';
import type { ConsoleCore } from '../session/console-core.js';
import {
  type ConsoleClient,
  ConsoleServer,
  CROWDED,
  type ListenAddress,
  type Visit,
} from '../transport/console-server.js';
import { SSH_ALGORITHMS } from './algorithms.js';
import { HandshakeRate } from './handshake-rate.js';
import { loadHostKey } from './host-key.js';
import { SshConnection } from './ssh-connection.js';

/** Three probes without an answer end a connection. */
const KEEPALIVE_PROBES = 3;

/**
 * The SSH listener (RFC 4253): the console for networks that are not trusted. It grants terminals and commands; no port
 * forwarding, no agent, no X11, no SFTP, as nothing listens for those requests.
 */
export class SshListener implements Closeable {
  private readonly server: ConsoleServer;
  private readonly ssh: ssh2.Server;
  private readonly open = new Map<string, SshConnection>();
  private readonly rate: HandshakeRate;

  private constructor(
    private readonly core: ConsoleCore,
    hostKey: string,
    /** Fingerprint of the host key. */
    readonly fingerprint: string,
  ) {
    this.rate = new HandshakeRate(core.clock);
    // It listens nowhere: connections are handed to it one by one.
    this.ssh = new ssh2.Server({
      hostKeys: [hostKey],
      algorithms: SSH_ALGORITHMS,
      ident: core.product.name,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: KEEPALIVE_PROBES,
    });
    this.ssh.on('connection', (client, { ip, port }) => this.open.get(endpoint(ip, port))?.attach(client));
    this.server = new ConsoleServer({
      name: 'SSH console',
      core,
      refusal: (address) => this.refusal(address),
      serve: (socket, visit) => this.serve(socket, visit),
    });
  }

  /**
   * Starts to listen; makes the host key when there is none at `keyPath`. Rejects with ConsoleStartError when the address
   * is taken or not ours, or the key cannot be used.
   */
  static async start(core: ConsoleCore, address: ListenAddress, keyPath: string): Promise<SshListener> {
    const { privateKey, fingerprint } = await loadHostKey(keyPath, core.log);
    const listener = new SshListener(core, privateKey, fingerprint);
    await listener.server.listen(address);
    return listener;
  }

  get address(): ListenAddress {
    return this.server.address;
  }

  close(): Promise<void> {
    return this.server.close();
  }

  private serve(socket: Socket, visit: Visit): ConsoleClient {
    const connection = new SshConnection({ core: this.core, socket, ...visit });
    const key = endpoint(socket.remoteAddress, socket.remotePort);
    this.open.set(key, connection);
    socket.once('close', () => this.open.delete(key));
    this.ssh.injectSocket(socket);
    return connection;
  }

  /** Why a connection is not even given a key exchange; undefined when it is. */
  private refusal(address: string): string | undefined {
    try {
      this.core.gate.checkAddress(address);
    } catch (error) {
      return errorMessage(error);
    }
    return this.rate.take(address) ? undefined : CROWDED;
  }
}

const endpoint = (ip: string | undefined, port: number | undefined) => `${ip} ${port}`;
