import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates, type SecureContextOptions } from 'node:tls';
import { AppError, errorMessage } from '../../../platform/errors.js';
import { opensslLine, type TlsSettings } from './tls-settings.js';

/** A certificate, key or CA file that cannot be used; the message names the file and what is wrong with it. */
export class CertificateError extends AppError {
  constructor(message: string, cause?: unknown) {
    super('CERTIFICATE_UNUSABLE', message, cause === undefined ? {} : { cause });
  }
}

/** What the files hold, checked. */
export interface Credentials {
  /** Certificate, key, authorities and lowest version, as node:tls takes them. */
  readonly context: SecureContextOptions;
  /** Of our own certificate. */
  readonly certificate: X509Certificate;
}

/** Reads certificate, key and authorities and checks that they fit together. Throws CertificateError. */
export function readCredentials(settings: TlsSettings): Credentials {
  const { certificateFile, keyFile, caFile } = settings;
  const cert = readPem(certificateFile, 'certificate', settings);
  const key = readPem(keyFile, 'private key', settings);
  const certificate = attempt(`${certificateFile} holds no certificate`, () => new X509Certificate(cert));
  const privateKey = attempt(`${keyFile} holds no usable private key`, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey))
    throw new CertificateError(
      `the key in ${keyFile} does not belong to the certificate in ${certificateFile}`,
    );
  return {
    certificate,
    context: {
      cert,
      key,
      minVersion: settings.minVersion ?? 'TLSv1.2',
      ...(caFile === undefined ? {} : { ca: [...rootCertificates, ...readAuthorities(caFile)] }),
    },
  };
}

function readPem(file: string, what: string, { certificateFile, keyFile }: TlsSettings): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const line = opensslLine(certificateFile, keyFile);
    throw new CertificateError(`no ${what}: ${errorMessage(error)}; to make one: ${line}`, error);
  }
}

/** Each certificate of a CA file; none would mean that nobody is trusted, which is no one's intention. */
function readAuthorities(file: string): string[] {
  const text = attempt(`no CA file`, () => readFileSync(file, 'utf8'));
  const found = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new CertificateError(`${file} holds no certificate`);
  for (const pem of found)
    attempt(`${file} holds a certificate that cannot be read`, () => new X509Certificate(pem));
  return found;
}

function attempt<T>(fault: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new CertificateError(`${fault}: ${errorMessage(error)}`, error);
  }
}
