import { pino } from 'pino';
import type { Config } from '../config/schema.js';
import { LoggerFactory } from '../platform/logger.js';
import { pinoPretty } from './pretty.js';

/** Loggers as the settings ask: lines on standard error, pretty on a terminal, JSON elsewhere. */
export function createLogs(config: Pick<Config, 'LOG_LEVEL' | 'LOG_FORMAT'>): LoggerFactory {
  const isPretty = config.LOG_FORMAT === 'pretty' || (config.LOG_FORMAT === 'auto' && process.stderr.isTTY);
  return new LoggerFactory({
    level: config.LOG_LEVEL,
    // JSON is written without waiting; what is still buffered at the end is flushed by pino at exit.
    destination: isPretty ? pinoPretty() : pino.destination({ dest: 2, sync: false, minLength: 0 }),
  });
}
