import type { LogLevel } from '../../platform/logger.js';
import type { RelayStats } from './relay-options.js';
import type { StartRelayOptions } from './start-relay.js';

/** What the worker thread is started with: options that can be copied between threads. */
export type WorkerOptions = Omit<StartRelayOptions, 'clock' | 'log'> & { readonly logLevel: LogLevel };

/** From the thread that started the worker. */
export type HostMessage = { readonly type: 'stats'; readonly id: number } | { readonly type: 'close' };

/** From the worker. */
export type WorkerMessage =
  | { readonly type: 'ready'; readonly controlUrls: readonly string[] }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'stats'; readonly id: number; readonly stats: RelayStats }
  | { readonly type: 'log'; readonly line: string };
