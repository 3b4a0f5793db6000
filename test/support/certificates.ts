import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSelfSigned } from '../../src/engine/transport/tls/self-signed.js';

/** A certificate and its key, PEM files. */
export interface KeyPair {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Contents of the certificate file. */
  readonly certificate: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Certificates that openssl makes, in a directory of their own. The caller closes it. */
export class Certificates {
  readonly directory = mkdtempSync(join(tmpdir(), 'ims-certificates-'));
  private count = 0;

  /** Self-signed, for subjectAltName `names` such as `DNS:localhost`. */
  selfSigned(...names: readonly string[]): KeyPair {
    return this.make(names, ['-x509', '-days', '2']);
  }

  /** One that was good until the year 2021. */
  expired(): KeyPair {
    const { certificate, key } = createSelfSigned(['localhost'], Date.parse('2019-01-01T00:00:00Z'));
    const number = ++this.count;
    const pair = {
      certificateFile: join(this.directory, `cert${number}.pem`),
      keyFile: join(this.directory, `key${number}.pem`),
    };
    writeFileSync(pair.certificateFile, certificate);
    writeFileSync(pair.keyFile, key);
    return { ...pair, certificate };
  }

  /** Issued by `authority`, itself a self-signed one. */
  issue(authority: KeyPair, ...names: readonly string[]): KeyPair {
    const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE'];
    return this.make(names, [
      ...['-x509', '-days', '2', '-CA', authority.certificateFile, '-CAkey', authority.keyFile],
      ...leaf,
    ]);
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  private make(names: readonly string[], options: readonly string[]): KeyPair {
    const number = ++this.count;
    const certificateFile = join(this.directory, `cert${number}.pem`);
    const keyFile = join(this.directory, `key${number}.pem`);
    const subject = ['-subj', `/CN=test ${number}`];
    const san = names.length > 0 ? ['-addext', `subjectAltName=${names.join(',')}`] : [];
    const files = ['-keyout', keyFile, '-out', certificateFile];
    const run = spawnSync('openssl', ['req', ...KEY, ...options, ...subject, ...san, ...files]);
    if (run.status !== 0) throw new Error(`openssl: ${run.stderr}`);
    return { certificateFile, keyFile, certificate: readFileSync(certificateFile, 'utf8') };
  }
}
