import { dirname, join } from 'node:path';
import type { Clock } from '../platform/clock.js';
import { type Closeable, Lifecycle } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import { BatchRunner } from './batch/batch-runner.js';
import { allCommands } from './commands/all-commands.js';
import type { Services } from './services.js';
import { ConsoleCore } from './session/console-core.js';
import type { ProductName } from './session/session-state.js';
import { AdminSocket } from './transport/admin-socket.js';
import type { ListenAddress } from './transport/console-server.js';
import { TelnetListener } from './transport/telnet-listener.js';

export interface ConsoleOptions {
  readonly services: Services;
  /** Telnet addresses; none for the admin socket alone. */
  readonly listen: readonly ListenAddress[];
  /** SSH address; none for no SSH. The host key is `ssh_host_ed25519_key` beside the admin socket. */
  readonly sshListen?: ListenAddress | undefined;
  /** `DATA_DIR/ims.sock`; its directory must be there. The operation log goes beside it, into `oplog/`, files of commands into `exchange/`. */
  readonly adminSocketPath: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly product: ProductName;
}

/** The running console. */
export interface Console extends Closeable {
  /** Telnet addresses as bound. */
  readonly addresses: readonly ListenAddress[];
  /** The SSH address as bound, and the fingerprint that clients see at their first connection. */
  readonly ssh?: { readonly address: ListenAddress; readonly fingerprint: string };
}

/**
 * Starts the operator console: telnet and SSH listeners and the local admin socket on one registry. Rejects with
 * ConsoleStartError when an address or the socket is taken; nothing is left open then.
 */
export async function startConsole(options: ConsoleOptions): Promise<Console> {
  const { services, clock, log, product, adminSocketPath } = options;
  const dataDir = dirname(adminSocketPath);
  const core = new ConsoleCore({
    services,
    commands: allCommands,
    clock,
    log,
    product,
    operationLogPath: join(dataDir, 'oplog'),
    exchangePath: join(dataDir, 'exchange'),
  });
  const lifecycle = new Lifecycle(log);
  lifecycle.own('operation log', { close: () => core.operations.close() });
  const addresses: ListenAddress[] = [];
  let ssh: Console['ssh'];
  lifecycle.own('tasks', services.tasks);
  try {
    lifecycle.own('admin socket', await AdminSocket.start(core, adminSocketPath));
    for (const address of options.listen) {
      addresses.push(lifecycle.own('telnet', await TelnetListener.start(core, address)).address);
    }
    if (options.sshListen) {
      // Loaded when it is wanted: most servers do without.
      const { SshListener } = await import('./ssh/ssh-listener.js');
      const keyPath = join(dataDir, 'ssh_host_ed25519_key');
      const { address, fingerprint } = lifecycle.own(
        'ssh',
        await SshListener.start(core, options.sshListen, keyPath),
      );
      ssh = { address, fingerprint };
    }
    services.tasks.serve(new BatchRunner(core));
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
  return { addresses, ...(ssh && { ssh }), close: () => lifecycle.close() };
}
