import type { ImportOptions, ImportReport } from '../accounts/import-users.js';
import type { UserRow } from '../accounts/read-users.js';
import type { CommandGroupService, OperatorService, UserService } from '../accounts/types.js';
import type { AlarmService } from '../alarms/types.js';
import type { AnnouncementService } from '../announcements/types.js';
import type { SoundLibrary } from '../audio/sound-library.js';
import type { CallService, ClickService, RouteService } from '../call/types.js';
import type { RecordService } from '../cdr/types.js';
import type { ConferenceService } from '../conference/types.js';
import type { RunningSettings } from '../config/settings.js';
import type { DialService } from '../dialler/types.js';
import type { EventService } from '../events/types.js';
import type { RelayService } from '../media/stored-relays.js';
import type { MessageBoxService } from '../messaging/types.js';
import type { NumberingService } from '../numbering/types.js';
import type { LogBatch } from '../platform/log-follow.js';
import type { LogLine, LogQuery } from '../platform/log-lines.js';
import type { RegistrationService } from '../registrar/types.js';
import type { SourceService } from '../security/source-types.js';
import type { TaskService } from '../tasks/types.js';
import type { TraceService } from '../trace/types.js';
import type { TrunkService } from '../trunks/types.js';

/** What `DSP SYSINFO` shows. */
export interface SystemInfo {
  readonly product: string;
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  /** Wall milliseconds. */
  readonly startedAt: number;
  readonly state: 'starting' | 'running' | 'draining';
  readonly realm: string;
  readonly engine: string;
  readonly engineConnected: boolean;
  readonly relay: string;
  readonly store: string;
  readonly storeAlive: boolean;
  readonly listeners: readonly string[];
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  /** Share of one core since the last look, 0..n. */
  readonly cpuShare: number;
  readonly cpuCores: number;
  /** Of the machine. */
  readonly memoryBytes: number;
  readonly heapLimitBytes: number;
  /** Event-loop delay, 99th percentile, milliseconds. */
  readonly loopDelayMs: number;
}

/** One count of `DSP PERF`: how many now, or how many since start. */
export interface Figure {
  /** Part of the server: `engine`, `relay`, `calls`. */
  readonly part: string;
  readonly name: string;
  readonly value: number;
}

/** Log levels by module; key `*` is the general one. */
export interface LogControl {
  levels(): Record<string, string>;
  /** The general level lasts until the next start, as that of a module does. */
  setLevel(level: string, module?: string): Promise<void>;
  /** The newest lines that match, oldest first. */
  find(query: LogQuery): readonly LogLine[];
  /** The newest lines that match, then those that come, until `signal` is aborted; `query` is asked for each batch. */
  follow(query: () => LogQuery, signal: AbortSignal): AsyncIterable<LogBatch>;
  /** Forgets lines written before a wall time; returns how many. */
  clear(before: number): number;
}

/** The server as a whole. */
export interface ServerControl {
  /** Refuses or takes new calls; those that are up go on. */
  setDraining(draining: boolean): void;
  /**
   * Stops the server as a signal does and starts it anew, a moment after the report was sent. Throws when the settings to do so
   * cannot be used.
   */
  restart(): void;
}

/** A package that this server is made of. */
export interface Licence {
  readonly name: string;
  readonly version: string;
  /** As the package says: an SPDX expression. */
  readonly licence: string;
}

/** The settings of the server, as commands use them. */
export type SettingsService = Pick<
  RunningSettings,
  'config' | 'list' | 'change' | 'forget' | 'save' | 'exported' | 'imported'
>;

/** Everything a command may reach. Commands touch nothing else. */
export interface Services {
  readonly alarms: AlarmService;
  readonly users: UserService;
  readonly operators: OperatorService;
  readonly commandGroups: CommandGroupService;
  readonly registrations: RegistrationService;
  readonly calls: CallService;
  readonly clicks: ClickService;
  readonly events: EventService;
  readonly messages: MessageBoxService;
  readonly numbering: NumberingService;
  readonly routes: RouteService;
  readonly trunks: TrunkService;
  readonly relays: RelayService;
  readonly sources: SourceService;
  readonly announcements: AnnouncementService;
  readonly dialler: DialService;
  readonly conferences: ConferenceService;
  readonly sounds: Pick<SoundLibrary, 'list' | 'names' | 'directory'>;
  readonly records: RecordService;
  readonly tasks: TaskService;
  /** Removes stored records that started before a wall time; resolves how many. */
  removeRecordsBefore(time: number): Promise<number>;
  importUsers(rows: readonly UserRow[], options: ImportOptions): Promise<ImportReport>;
  readonly logs: LogControl;
  readonly settings: SettingsService;
  readonly control: ServerControl;
  /** The packages of the installation. */
  licences(): Promise<readonly Licence[]>;
  /** Absent when the SIP engine is elsewhere. */
  readonly traces?: TraceService;
  system(): SystemInfo;
  /** Counts of every part that runs in this process; a part that does not answer is left out. Never rejects. */
  figures(): Promise<readonly Figure[]>;
}
