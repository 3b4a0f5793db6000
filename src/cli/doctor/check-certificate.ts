import { existsSync } from 'node:fs';
import { needsCertificate, tlsSettings } from '../../app/tls.js';
import type { Config } from '../../config/schema.js';
import { readCredentials } from '../../engine/transport/tls/read-credentials.js';
import { opensslLine } from '../../engine/transport/tls/tls-settings.js';
import { errorMessage } from '../../platform/errors.js';
import type { Finding } from './finding.js';

const DAY_MS = 86_400_000;
/** A certificate that ends sooner is warned of. Days. */
const WARN_DAYS = 14;

/** Whether certificate and key are there, fit together and are good for a while; nothing when nothing needs them. */
export function checkCertificate(config: Config): Finding | undefined {
  if (config.SIP_ENGINE !== 'embedded' || !needsCertificate(config)) return undefined;
  const settings = tlsSettings(config);
  const { certificateFile, keyFile } = settings;
  if (config.SIP_TLS_CERT === undefined && !existsSync(certificateFile))
    return {
      level: 'ok',
      what: `a self-signed certificate will be made at the first start: ${certificateFile}`,
    };
  try {
    return judge(readCredentials(settings).certificate, certificateFile);
  } catch (error) {
    return {
      level: 'fail',
      what: errorMessage(error).replace(/; to make one: .*/, ''),
      advice: `set SIP_TLS_CERT and SIP_TLS_KEY; to make them: ${opensslLine(certificateFile, keyFile)}`,
    };
  }
}

function judge(
  {
    validFrom,
    validTo,
    subject,
    issuer,
  }: { validFrom: string; validTo: string; subject: string; issuer: string },
  file: string,
): Finding {
  const nowMs = Date.now();
  const days = Math.floor((Date.parse(validTo) - nowMs) / DAY_MS);
  const renew = 'put a new one in its place; a running server takes it within seconds';
  if (nowMs > Date.parse(validTo))
    return { level: 'fail', what: `the certificate in ${file} ended on ${validTo}`, advice: renew };
  if (nowMs < Date.parse(validFrom))
    return {
      level: 'fail',
      what: `the certificate in ${file} is not good before ${validFrom}`,
      advice: 'is the clock of this machine right?',
    };
  if (days < WARN_DAYS)
    return { level: 'warn', what: `the certificate in ${file} ends in ${days} days`, advice: renew };
  const by = subject === issuer ? ', self-signed: phones trust it only when told to' : '';
  return { level: 'ok', what: `certificate ${file} fits its key, good for ${days} days${by}` };
}
