import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import { createSelfSigned } from '../engine/transport/tls/self-signed.js';
import type { TlsSettings } from '../engine/transport/tls/tls-settings.js';
import { localAddresses } from '../platform/local-address.js';
import type { Logger } from '../platform/logger.js';

type TlsConfig = Pick<
  Config,
  | 'SIP_LISTEN'
  | 'SIP_TLS_CERT'
  | 'SIP_TLS_KEY'
  | 'SIP_TLS_CA'
  | 'SIP_TLS_VERIFY_CLIENT'
  | 'SIP_TLS_VERIFY_SERVER'
  | 'SIP_TLS_MIN_VERSION'
  | 'DATA_DIR'
  | 'SERVER_IP'
  | 'EXTERNAL_IP'
  | 'ADVERTISE'
>;

/** Whether a listener of the configuration needs a certificate. */
export function needsCertificate({ SIP_LISTEN }: Pick<Config, 'SIP_LISTEN'>): boolean {
  return SIP_LISTEN.some(({ protocol }) => protocol === 'tls' || protocol === 'wss');
}

/** What the engine is told of TLS; where the certificate is not set, one under DATA_DIR that need not be there yet. */
export function tlsSettings(config: TlsConfig): TlsSettings {
  const { SIP_TLS_CERT, SIP_TLS_KEY, SIP_TLS_CA } = config;
  return {
    certificateFile: SIP_TLS_CERT ?? ownFile(config, 'cert.pem'),
    // Never a key of the user's beside a certificate of ours: that one may be written.
    keyFile: SIP_TLS_CERT === undefined ? ownFile(config, 'key.pem') : (SIP_TLS_KEY ?? SIP_TLS_CERT),
    ...(SIP_TLS_CA === undefined ? {} : { caFile: SIP_TLS_CA }),
    verifyClient: config.SIP_TLS_VERIFY_CLIENT,
    verifyServer: config.SIP_TLS_VERIFY_SERVER,
    minVersion: `TLSv${config.SIP_TLS_MIN_VERSION}`,
  };
}

/**
 * What the engine is told of TLS when something listens with it. With no certificate set a self-signed one is made
 * under DATA_DIR at the first start, and kept until it ends.
 */
export function prepareTls(config: TlsConfig, log: Logger): { tls?: TlsSettings } {
  return needsCertificate(config) ? { tls: preparedTls(config, log) } : {};
}

/** The same for whoever needs a certificate for other ports. */
export function preparedTls(config: TlsConfig, log: Logger): TlsSettings {
  const tls = tlsSettings(config);
  if (config.SIP_TLS_CERT === undefined && !isInForce(tls.certificateFile)) makeCertificate(tls, config, log);
  return tls;
}

/** False for one that is not there or has ended. */
function isInForce(file: string): boolean {
  if (!existsSync(file)) return false;
  return Date.parse(new X509Certificate(readFileSync(file)).validTo) > Date.now();
}

function makeCertificate(tls: TlsSettings, config: TlsConfig, log: Logger): void {
  const told = [config.EXTERNAL_IP, config.SERVER_IP, ...config.ADVERTISE.map(({ address }) => address)];
  const own = localAddresses().map((address) => address.replace(/%.*/, ''));
  const names = [...new Set([hostname(), 'localhost', ...told, ...own])].filter((name) => name !== undefined);
  const { certificate, key } = createSelfSigned(names, Date.now());
  mkdirSync(join(config.DATA_DIR, 'tls'), { recursive: true, mode: 0o700 });
  // The key first: a certificate that is there says that both are.
  writeFileSync(tls.keyFile, key, { mode: 0o600 });
  writeFileSync(tls.certificateFile, certificate);
  log.warn(
    { file: tls.certificateFile },
    'no SIP_TLS_CERT is set: a self-signed certificate was made; phones and browsers trust it only when told to',
  );
}

function ownFile({ DATA_DIR }: TlsConfig, name: string): string {
  return join(DATA_DIR, 'tls', name);
}
