import type { AlarmStates } from '../alarms/types.js';
import type { Config } from '../config/schema.js';
import { withDeadline } from '../platform/deadline.js';
import type { BanPolicy } from '../security/offence-watch.js';
import { SourceGuard } from '../security/source-guard.js';
import type { SourceEntry } from '../security/source-types.js';
import type { Store } from '../store/types.js';
import type { ServerContext } from './server-context.js';

/** A Store that does not answer is no reason not to start. */
const LISTS_WAIT_MS = 2000;

/** Reads black and white list; from now on both are kept, and whoever attacks is banned. */
export async function openSourceGuard(context: ServerContext, store: Store): Promise<SourceGuard> {
  const { config, logs, parts, alarms } = context;
  const log = logs.for('security');
  const guard = new SourceGuard({
    store,
    trusted: config.SIP_TRUSTED,
    policy: banPolicy(config),
    onBan: (entry, isInForce) => tellBan(alarms, entry, isInForce),
    log,
  });
  parts.own('source guard', guard);
  await withDeadline(guard.lists.start(), LISTS_WAIT_MS, 'reading the black list').catch((error: unknown) =>
    log.warn({ err: error }, 'the Store is slow: nobody is banned until the black list is read'),
  );
  return guard;
}

/** A ban that is read again at a start, or told of again, is no new one. */
export function tellBan(alarms: AlarmStates, { source, reason }: SourceEntry, isInForce: boolean): void {
  alarms.state('SOURCE_BANNED', source, isInForce, reason);
}

function banPolicy(config: Config): BanPolicy {
  return {
    get after() {
      return config.BAN_AFTER;
    },
    get windowSec() {
      return config.BAN_WINDOW_SEC;
    },
    get banSec() {
      return config.BAN_SEC;
    },
    get registrationSec() {
      return config.REG_MAX_SEC;
    },
  };
}
