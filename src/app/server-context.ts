import type { AlarmStates } from '../alarms/types.js';
import type { Config } from '../config/schema.js';
import type { Lifecycle } from '../platform/lifecycle.js';
import type { LoggerFactory } from '../platform/logger.js';

/** What every part of the composition needs. */
export interface ServerContext {
  readonly config: Config;
  readonly logs: LoggerFactory;
  /** Owns what is started; closes it, last first. */
  readonly parts: Lifecycle;
  /** Address put into SIP and SDP. */
  readonly serverIp: string;
  /** Where parts say what is wrong. */
  readonly alarms: AlarmStates;
  /** Tells that a part died that the server cannot go on without. */
  readonly fail: (reason: Error) => void;
}
