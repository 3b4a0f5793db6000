import type { OperatorService, UserService } from '../accounts/types.js';
import type { AnnouncementService } from '../announcements/types.js';
import type { SoundLibrary } from '../audio/sound-library.js';
import type { CallService, ClickService, RouteService } from '../call/types.js';
import type { RecordService } from '../cdr/types.js';
import type { ConferenceService } from '../conference/types.js';
import type { DialService } from '../dialler/types.js';
import type { EventService } from '../events/types.js';
import type { MessageBoxService } from '../messaging/types.js';
import type { NumberingService } from '../numbering/types.js';
import type { RegistrationService } from '../registrar/types.js';
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
  setLevel(level: string, module?: string): void;
}

/** Everything a command may reach. Commands touch nothing else. */
export interface Services {
  readonly users: UserService;
  readonly operators: OperatorService;
  readonly registrations: RegistrationService;
  readonly calls: CallService;
  readonly clicks: ClickService;
  readonly events: EventService;
  readonly messages: MessageBoxService;
  readonly numbering: NumberingService;
  readonly routes: RouteService;
  readonly trunks: TrunkService;
  readonly announcements: AnnouncementService;
  readonly dialler: DialService;
  readonly conferences: ConferenceService;
  readonly sounds: Pick<SoundLibrary, 'list' | 'directory'>;
  readonly records: RecordService;
  readonly logs: LogControl;
  /** Absent when the SIP engine is elsewhere. */
  readonly traces?: TraceService;
  system(): SystemInfo;
  /** Counts of every part that runs in this process; a part that does not answer is left out. Never rejects. */
  figures(): Promise<readonly Figure[]>;
}
