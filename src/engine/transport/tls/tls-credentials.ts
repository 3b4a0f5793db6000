import { stat } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';
import type { Clock, TimerHandle } from '../../../platform/clock.js';
import { errorMessage } from '../../../platform/errors.js';
import type { Closeable } from '../../../platform/lifecycle.js';
import type { Logger } from '../../../platform/logger.js';
import type { TransportCounters } from '../counters.js';
import { TransportError } from '../errors.js';
import { type Credentials, readCredentials } from './read-credentials.js';
import type { TlsSettings } from './tls-settings.js';

/** How often the files are looked at. Milliseconds. */
const LOOK_INTERVAL_MS = 2_000;
/** A certificate that ends within this time is warned of. Milliseconds. */
const EXPIRY_WARNING_MS = 14 * 86_400_000;

export interface TlsCredentialsOptions {
  readonly settings: TlsSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: TransportCounters;
  /** Default 2 s. */
  readonly lookIntervalMs?: number;
}

/**
 * Certificate and key of all TLS listeners, read again when a file changes or `reload` is called. New handshakes use
 * what was read last; connections that are up keep what they have. Files that are no good change nothing.
 */
export class TlsCredentials implements Closeable {
  private current: Credentials | undefined;
  private signature = '';
  private timer: TimerHandle | undefined;
  private looking: Promise<void> = Promise.resolve();
  private isClosed = false;
  private readonly listeners = new Set<(context: SecureContextOptions) => void>();

  constructor(private readonly options: TlsCredentialsOptions) {}

  get settings(): TlsSettings {
    return this.options.settings;
  }

  /** What new handshakes use. */
  get context(): SecureContextOptions {
    if (!this.current) throw new TransportError('LISTEN_FAILED', 'the certificate is not read yet');
    return this.current.context;
  }

  /** Reads the files and begins to watch them. Rejects with TransportError `LISTEN_FAILED` when they are no good. */
  async start(): Promise<void> {
    this.signature = await this.look();
    try {
      this.current = readCredentials(this.settings);
    } catch (error) {
      throw new TransportError('LISTEN_FAILED', errorMessage(error), error);
    }
    this.warnOfExpiry(this.current);
    this.schedule();
  }

  /** Calls `listener` with each new context. */
  onChange(listener: (context: SecureContextOptions) => void): void {
    this.listeners.add(listener);
  }

  /** Reads the files anew; false, with an error in the log, when they are no good and nothing changed. */
  reload(): boolean {
    const { counters, log } = this.options;
    try {
      const fresh = readCredentials(this.settings);
      this.current = fresh;
      for (const listener of this.listeners) listener(fresh.context);
      counters.certificateReloads++;
      log.info(
        { subject: fresh.certificate.subject, validTo: fresh.certificate.validTo },
        'certificate read',
      );
      this.warnOfExpiry(fresh);
      return true;
    } catch (error) {
      counters.certificateReloadFailures++;
      log.error({ err: error }, 'the new certificate is no good; the one read before stays in use');
      return false;
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.options.clock.clearTimeout(this.timer);
    await this.looking;
  }

  private schedule(): void {
    if (this.isClosed) return;
    const { clock, lookIntervalMs = LOOK_INTERVAL_MS } = this.options;
    this.timer = clock.setTimeout(() => {
      this.looking = this.compare().finally(() => this.schedule());
    }, lookIntervalMs);
  }

  private async compare(): Promise<void> {
    const signature = await this.look();
    if (this.isClosed || signature === this.signature) return;
    this.signature = signature;
    this.reload();
  }

  /** What tells a file from a later one of its name. */
  private async look(): Promise<string> {
    const { certificateFile, keyFile, caFile } = this.settings;
    const files = [certificateFile, keyFile, ...(caFile === undefined ? [] : [caFile])];
    const facts = files.map(async (file) => {
      try {
        const { mtimeMs, size, ino } = await stat(file);
        return `${mtimeMs} ${size} ${ino}`;
      } catch {
        return 'away';
      }
    });
    return (await Promise.all(facts)).join(', ');
  }

  private warnOfExpiry({ certificate }: Credentials): void {
    const leftMs = Date.parse(certificate.validTo) - this.options.clock.now();
    if (leftMs > EXPIRY_WARNING_MS) return;
    const text =
      leftMs > 0 ? 'the certificate ends soon' : 'the certificate has ended: phones will refuse it';
    this.options.log.warn({ validTo: certificate.validTo }, text);
  }
}
