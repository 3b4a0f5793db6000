import { importUsers } from '../accounts/import-users.js';
import { StoredCommandGroups } from '../accounts/stored-command-groups.js';
import type { StoredUsers } from '../accounts/stored-users.js';
import { bracket } from '../config/describe.js';
import type { RunningSettings } from '../config/settings.js';
import type { RelayService } from '../media/stored-relays.js';
import { type Console, startConsole } from '../mml/console.js';
import type { LogControl, Services } from '../mml/services.js';
import { systemClock } from '../platform/clock.js';
import { followLines } from '../platform/log-follow.js';
import { clearLines, findLines } from '../platform/log-lines.js';
import type { LoggerFactory, LogLevel } from '../platform/logger.js';
import type { SourceGuard } from '../security/source-guard.js';
import { GuardService } from '../security/source-service.js';
import type { Store } from '../store/types.js';
import type { OpenedAudio } from './audio.js';
import type { ConnectedEngine } from './engine.js';
import { installedLicences } from './licences.js';
import type { RunningServer } from './running-server.js';
import type { ServerContext } from './server-context.js';
import type { Telephony } from './telephony.js';

/** What operators see and act on. */
export interface ConsoleParts
  extends Pick<
    Services,
    | 'alarms'
    | 'operators'
    | 'tasks'
    | 'numbering'
    | 'announcements'
    | 'dialler'
    | 'records'
    | 'control'
    | 'system'
    | 'figures'
  > {
  readonly users: StoredUsers;
  readonly store: Store;
  readonly settings: RunningSettings;
  readonly telephony: Telephony;
  readonly relays: RelayService;
  readonly guard: SourceGuard;
  readonly audio: OpenedAudio;
  readonly engine: ConnectedEngine;
  readonly adminSocketPath: string;
  readonly version: string;
}

/** Where the console listens, for people and the run file. */
export function consoleFacts({ addresses, ssh }: Console): Pick<RunningServer['facts'], 'mml' | 'ssh'> {
  const named = ({ host, port }: { host: string; port: number }): string => `${bracket(host)}:${port}`;
  return {
    mml: addresses.map(named).join(' '),
    ...(ssh && { ssh: { address: named(ssh.address), fingerprint: ssh.fingerprint } }),
  };
}

/** Opens the console on all its ways in; the caller owns it. */
export function openConsole({ config, logs }: ServerContext, parts: ConsoleParts): Promise<Console> {
  const { users, store, settings, telephony, guard, audio, engine } = parts;
  return startConsole({
    services: {
      alarms: parts.alarms,
      users,
      operators: parts.operators,
      tasks: parts.tasks,
      commandGroups: new StoredCommandGroups({ store: store }),
      registrations: telephony.registrations,
      calls: telephony.calls,
      clicks: telephony.calls,
      events: telephony.events,
      messages: telephony.messages,
      numbering: parts.numbering,
      routes: telephony.calls.routes,
      trunks: telephony.trunks.service,
      relays: parts.relays,
      sources: new GuardService(guard),
      announcements: parts.announcements,
      dialler: parts.dialler,
      conferences: telephony.conferences,
      sounds: audio.sounds,
      records: parts.records,
      importUsers: (rows, options) => importUsers(users, rows, options),
      removeRecordsBefore: (time) => store.records.removeBefore(time),
      settings,
      control: parts.control,
      licences: installedLicences,
      logs: logControl(logs, settings),
      ...(engine.traces && { traces: engine.traces }),
      system: parts.system,
      figures: parts.figures,
    },
    listen: [config.MML_LISTEN],
    sshListen: config.MML_SSH_LISTEN,
    adminSocketPath: parts.adminSocketPath,
    log: logs.for('mml'),
    clock: systemClock,
    product: { name: 'ims-server', version: parts.version },
  });
}

function logControl(logs: LoggerFactory, settings: RunningSettings): LogControl {
  return {
    levels: () => logs.levels(),
    setLevel: async (level, module) => {
      if (module === undefined) await settings.change('LOG_LEVEL', level, false);
      else logs.setLevel(level as LogLevel, module);
    },
    find: (query) => findLines(logs.ring, query),
    follow: (query, signal) => followLines(logs.ring, query, systemClock, signal),
    clear: (before) => clearLines(logs.ring, before),
  };
}
