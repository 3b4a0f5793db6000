import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';

export interface TlsFront {
  readonly port: number;
  /** Self-signed for `localhost`, PEM. */
  readonly certificate: string;
  /** Ends every connection; the listener stays. */
  dropAll(): void;
  close(): Promise<void>;
}

/** A TLS listener on 127.0.0.1 that passes on what it hears to a plain TCP port. */
export async function tlsFront(targetPort: number): Promise<TlsFront> {
  const { key, cert } = selfSigned();
  const sockets = new Set<Socket>();
  const server = createServer({ key, cert }, (socket) => {
    const target = connect(targetPort, '127.0.0.1');
    for (const [from, to] of [
      [socket, target],
      [target, socket],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const dropAll = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    certificate: cert,
    dropAll,
    close: async () => {
      dropAll();
      server.close();
      await once(server, 'close');
    },
  };
}

function selfSigned(): { key: string; cert: string } {
  const directory = mkdtempSync(join(tmpdir(), 'ims-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  try {
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const run = spawnSync('openssl', ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', cert]);
    if (run.status !== 0) throw new Error(`openssl: ${run.stderr}`);
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
