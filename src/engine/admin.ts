import type { Clock } from '../platform/clock.js';
import type { Lifecycle } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import { DrachtioServer, type DrachtioServerOptions } from './drachtio/drachtio-server.js';
import type { EngineOptions } from './engine-options.js';
import { TlsCredentials, type TlsCredentialsOptions } from './transport/tls/tls-credentials.js';

const DEFAULT_ADMIN_PORT = 9022;

export interface AdminParts {
  readonly admin: EngineOptions['admin'];
  readonly verifyApplications: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: TlsCredentialsOptions['counters'];
  /** Closes the certificate. */
  readonly lifecycle: Lifecycle;
  readonly hostports: DrachtioServerOptions['hostports'];
}

/** The server that applications connect to, which does not listen yet. `credentials` are those of its TLS port. */
export interface Admin {
  readonly server: DrachtioServer;
  readonly credentials: TlsCredentials | undefined;
}

/** Makes the admin server; the caller owns it. Rejects when the certificate of its TLS port cannot be read. */
export async function createAdmin(parts: AdminParts): Promise<Admin> {
  const { admin, verifyApplications, clock, log, hostports } = parts;
  const tls = await openTls(parts);
  const server = new DrachtioServer({
    host: admin.host ?? '127.0.0.1',
    port: admin.port ?? DEFAULT_ADMIN_PORT,
    ...(tls && { tls }),
    secret: admin.secret,
    ...(admin.keepAliveSec === undefined ? {} : { keepAliveSec: admin.keepAliveSec }),
    ...(admin.maxBacklogBytes === undefined ? {} : { maxBacklogBytes: admin.maxBacklogBytes }),
    verifyApplications,
    clock,
    log,
    hostports,
  });
  return { server, credentials: tls?.credentials };
}

/** The second admin port, when there is to be one; its certificate is read. */
async function openTls({ admin, clock, log, counters, lifecycle }: AdminParts) {
  const { tls, host: plainHost = '127.0.0.1' } = admin;
  if (!tls) return undefined;
  const { host = plainHost, port, certificateFile, keyFile } = tls;
  const credentials = new TlsCredentials({ settings: { certificateFile, keyFile }, clock, log, counters });
  lifecycle.own('admin certificate', credentials);
  await credentials.start();
  return { host, port, credentials };
}
