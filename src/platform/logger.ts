import { type DestinationStream, type Level, type Logger as PinoLogger, pino } from 'pino';
import { LogRing } from './log-ring.js';

/** Levels an operator may set, loudest last. */
export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type Logger = PinoLogger;

/** Keys whose values never reach a log, at the top or one level down. */
const SECRET_KEYS = [
  'password',
  'secret',
  'ha1',
  'ha1Md5',
  'ha1Sha256',
  'authorization',
  'proxyAuthorization',
  'token',
];

export interface LoggerOptions {
  level: LogLevel;
  /** Where lines go; standard output when absent. */
  destination?: DestinationStream;
}

/**
 * Makes loggers by module and changes their levels while running (MML `SET LOG`).
 * A module without a level of its own follows the general one.
 */
export class LoggerFactory {
  /** The newest lines, for consoles. */
  readonly ring = new LogRing();
  private readonly root: PinoLogger;
  private readonly modules = new Map<string, PinoLogger>();
  private readonly overrides = new Map<string, LogLevel>();

  constructor(options: LoggerOptions) {
    const settings = {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: '***' },
    };
    this.root = pino(settings, keeping(this.ring, options.destination ?? pino.destination(1)));
  }

  /** The logger of a room; the same name gives the same logger. */
  for(module: string): Logger {
    let logger = this.modules.get(module);
    if (!logger) {
      logger = this.root.child({ module });
      this.modules.set(module, logger);
    }
    return logger;
  }

  /** Sets the general level, or that of one module. Unknown modules are remembered for when they appear. */
  setLevel(level: LogLevel, module?: string): void {
    if (module !== undefined) {
      this.overrides.set(module, level);
      this.for(module).level = level as Level;
      return;
    }
    this.root.level = level as Level;
    for (const [name, logger] of this.modules) logger.level = (this.overrides.get(name) ?? level) as Level;
  }

  /** Levels in force: the general one under the key `*`, then each module known so far. */
  levels(): Record<string, string> {
    const levels: Record<string, string> = { '*': this.root.level };
    for (const [name, logger] of this.modules) levels[name] = logger.level;
    return levels;
  }
}

/** Passes lines on and keeps them in the ring. */
function keeping(ring: LogRing, destination: DestinationStream): DestinationStream & { flushSync(): void } {
  return {
    write: (line) => {
      ring.push(line);
      destination.write(line);
    },
    // pino calls it after a fatal line.
    flushSync: () => (destination as { flushSync?: () => void }).flushSync?.(),
  };
}

/** A logger that says nothing; for tests and for tools that print for themselves. */
export const silentLogger: Logger = pino({ level: 'silent' });
