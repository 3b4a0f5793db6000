import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between an engine and call control, and hands on what the engine says in as few pieces as it can. */
export interface CoalescingProxy {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Opens one before a port of this machine. What comes from there within `holdMs` arrives in one piece, as from a busy engine: frames
 * that belong together by chance are handled in one breath then, before anything that waits for a promise.
 */
export async function openCoalescingProxy(target: number, holdMs: number): Promise<CoalescingProxy> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (application) => {
    const engine = connect({ host: '127.0.0.1', port: target, noDelay: true });
    let waiting: Buffer[] = [];
    let timer: NodeJS.Timeout | undefined;
    const handOn = (): void => {
      timer = undefined;
      application.write(Buffer.concat(waiting));
      waiting = [];
    };
    engine.on('data', (bytes) => {
      waiting.push(bytes);
      timer ??= setTimeout(handOn, holdMs);
    });
    application.on('data', (bytes) => engine.write(bytes));
    for (const [one, other] of [
      [engine, application],
      [application, engine],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        clearTimeout(timer);
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
