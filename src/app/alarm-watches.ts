import type { Severity } from '../alarms/catalogue.js';
import type { AlarmService, AlarmStates } from '../alarms/types.js';
import { certificateLook } from '../alarms/watches/certificate-look.js';
import { clockLook } from '../alarms/watches/clock-look.js';
import { diskLook } from '../alarms/watches/disk-look.js';
import { callsLook, overloadLook } from '../alarms/watches/load-look.js';
import { recordLook } from '../alarms/watches/record-look.js';
import { relayLook } from '../alarms/watches/relay-look.js';
import { type Look, Rounds } from '../alarms/watches/rounds.js';
import { AlarmWebhook } from '../alarms/webhook.js';
import type { CallService } from '../call/types.js';
import type { JournalledRecords } from '../cdr/record-service.js';
import type { Config } from '../config/schema.js';
import type { EngineStats } from '../engine/engine.js';
import type { MediaRelay } from '../media/types.js';
import { systemClock } from '../platform/clock.js';
import type { Closeable, Lifecycle } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import { packageVersion } from '../platform/version.js';
import type { SourceGuard } from '../security/source-guard.js';
import type { Store } from '../store/types.js';
import type { ConnectedEngine } from './engine.js';
import { tellBan } from './source-guard.js';
import { needsCertificate, tlsSettings } from './tls.js';

/** How often what is told at each change is told again, milliseconds: an alarm cleared by hand comes back while it is so. */
const AGAIN_MS = 3000;

/** The parts that do not know of alarms. */
export interface WatchedParts {
  readonly alarms: AlarmStates;
  readonly config: Config;
  readonly store: Store;
  readonly engine: ConnectedEngine;
  readonly relay: MediaRelay;
  readonly records: JournalledRecords;
  readonly calls: Pick<CallService, 'count'>;
  readonly guard: Pick<SourceGuard, 'lists'>;
  readonly log: Logger;
}

/** Raises and clears alarms for parts that do not do so themselves. Closed before them: an end is no fault. */
export function watchForAlarms(parts: WatchedParts): Closeable {
  const { alarms, store, engine, guard, log } = parts;
  const { connection } = engine;
  let lossReason: string | undefined;
  const tellStore = (): void =>
    alarms.state('STORE_DOWN', '', !store.alive, `${store.description} does not answer`);
  const tellEngine = (): void =>
    alarms.state('ENGINE_DOWN', engine.name, !connection.connected, lossReason ?? 'not connected');
  const endings = [
    store.onAvailability(tellStore),
    connection.onStateChange((_, reason) => {
      lossReason = reason;
      tellEngine();
    }),
  ];
  const again: Look[] = [
    { name: 'store', everyMs: AGAIN_MS, look: tellStore },
    { name: 'engine', everyMs: AGAIN_MS, look: tellEngine },
    {
      name: 'bans',
      everyMs: AGAIN_MS,
      look: () => {
        for (const ban of guard.lists.bans()) tellBan(alarms, ban, true);
      },
    },
  ];
  const rounds = new Rounds([...again, ...looksOf(parts)], systemClock, log);
  return {
    close: () => {
      for (const end of endings) end();
      return rounds.close();
    },
  };
}

/** Posts alarms to the receiver of ALARM_WEBHOOK, when there is one. */
export function openWebhook(
  config: Config,
  alarms: AlarmService,
  { node, parts, log }: { readonly node: string; readonly parts: Lifecycle; readonly log: Logger },
): void {
  const { ALARM_WEBHOOK: url, ALARM_WEBHOOK_KEY: key } = config;
  if (url === undefined) return;
  const from = { product: 'ims-server', version: packageVersion(), node };
  const severity = () => config.ALARM_WEBHOOK_SEVERITY.toUpperCase() as Severity;
  const webhook = new AlarmWebhook({ url, ...(key !== undefined && { key }), severity, from, log }, alarms);
  parts.own('alarm webhook', webhook);
}

function looksOf({ alarms, config, engine, relay, records, calls }: WatchedParts): Look[] {
  const { stats } = engine;
  const certificate = config.SIP_ENGINE === 'embedded' && needsCertificate(config);
  return [
    relayLook(() => relay.health(), alarms),
    recordLook(
      () => stateOfRecords(records),
      () => config.ALARM_RECORDS,
      alarms,
    ),
    callsLook(
      () => calls.count().active,
      () => config.MAX_CALLS,
      alarms,
    ),
    diskLook(config.DATA_DIR, () => config.ALARM_DISK_MB, alarms),
    clockLook(systemClock, alarms),
    ...(stats ? [overloadLook(async () => overloadOf(await stats()), alarms)] : []),
    ...(certificate
      ? [
          certificateLook(
            tlsSettings(config).certificateFile,
            () => config.ALARM_CERT_DAYS,
            systemClock,
            alarms,
          ),
        ]
      : []),
  ];
}

function stateOfRecords(records: JournalledRecords) {
  const { recordsLost, recordsRefused } = records.counters();
  const { waiting } = records.backlog();
  return { waiting, isJournalWritten: records.isJournalWritten, lost: recordsLost + recordsRefused };
}

function overloadOf({ overload }: EngineStats) {
  const { active, entered, loopDelayMs, waitingRequests } = overload;
  const detail = `loop delay ${loopDelayMs} ms, ${waitingRequests} requests wait`;
  return { isActive: active === 1, entered, detail };
}
