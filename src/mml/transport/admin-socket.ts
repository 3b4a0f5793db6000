import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { errorMessage } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import { ConsoleStartError } from '../errors.js';
import { MAX_LOCAL_CONNECTIONS } from '../limits.js';
import type { ConsoleCore } from '../session/console-core.js';
import { AdminConnection } from './admin-connection.js';

/** `sun_path` of a Unix socket address, less its closing NUL. */
const MAX_SOCKET_PATH_BYTES = 107;

/**
 * The local admin socket: a Unix socket that only its owner can open (mode 0600), and who opens it is ADMIN. `ims mml`
 * speaks to it. A socket file that a dead server left is replaced; one that answers is left alone.
 */
export class AdminSocket implements Closeable {
  private readonly open = new Set<AdminConnection>();
  private readonly server: Server;

  private constructor(
    private readonly core: ConsoleCore,
    readonly path: string,
  ) {
    this.server = createServer({ allowHalfOpen: true });
    this.server.maxConnections = MAX_LOCAL_CONNECTIONS;
    this.server.on('connection', (socket) => this.accept(socket));
  }

  /** Starts to listen; rejects with ConsoleStartError when another server lives there or the path cannot be used. */
  static async start(core: ConsoleCore, path: string): Promise<AdminSocket> {
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
      throw new ConsoleStartError(
        `Admin socket path is too long (${MAX_SOCKET_PATH_BYTES} bytes at most): ${path}. Choose a shorter DATA_DIR`,
      );
    }
    await removeStale(path);
    const socket = new AdminSocket(core, path);
    await socket.listen();
    return socket;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const connection of this.open) connection.end();
    await closed;
  }

  private async listen(): Promise<void> {
    // The mode must be right from the first moment on: bind makes the file with the umask of now.
    const umask = process.umask(0o177);
    try {
      this.server.listen(this.path);
    } finally {
      process.umask(umask);
    }
    try {
      await once(this.server, 'listening');
      await chmod(this.path, 0o600);
    } catch (error) {
      this.server.close();
      throw new ConsoleStartError(`Admin socket ${this.path}: ${errorMessage(error)}`, error);
    }
    this.server.on('error', (error) =>
      this.core.log.error({ err: errorMessage(error) }, 'admin socket failed'),
    );
  }

  private accept(socket: Socket): void {
    const connection = new AdminConnection(this.core, socket);
    this.open.add(connection);
    socket.once('close', () => this.open.delete(connection));
  }
}

/** Removes the socket file of a server that is gone. Anything else than a dead socket is left and reported. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new ConsoleStartError(`Admin socket ${path}: ${error.message}`, error);
  });
  if (!found) return;
  if (!found.isSocket())
    throw new ConsoleStartError(`${path} is in the way of the admin socket and is no socket`);
  if (await answers(path)) {
    throw new ConsoleStartError(
      `Another server is running here: it answers on ${path}. Stop it or use another DATA_DIR`,
    );
  }
  await unlink(path);
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return false;
    throw new ConsoleStartError(`Admin socket ${path}: ${errorMessage(error)}`, error);
  } finally {
    socket.destroy();
  }
}
