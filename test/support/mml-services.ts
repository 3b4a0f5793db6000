import { importUsers } from '../../src/accounts/import-users.js';
import { StoredCommandGroups } from '../../src/accounts/stored-command-groups.js';
import type { OperatorView, Role, User, UserInput, UserView } from '../../src/accounts/types.js';
import { changeFeatures } from '../../src/accounts/user-features.js';
import { AlarmBook } from '../../src/alarms/alarm-book.js';
import { StoredAnnouncements } from '../../src/announcements/announcements.js';
import { SoundCache } from '../../src/audio/sound-cache.js';
import { SoundLibrary } from '../../src/audio/sound-library.js';
import type { CallView } from '../../src/call/types.js';
import type { CallRecord, TimelineEntry } from '../../src/cdr/types.js';
import { Conferences } from '../../src/conference/conferences.js';
import { loadConfig } from '../../src/config/load.js';
import { RunningSettings, type SettingsStore } from '../../src/config/settings.js';
import { Dialler } from '../../src/dialler/dial-service.js';
import { createRtpProxyRelay } from '../../src/media/rtpproxy/rtpproxy-relay.js';
import { StoredRelays } from '../../src/media/stored-relays.js';
import type { Services, SystemInfo } from '../../src/mml/services.js';
import { StoredNumbering } from '../../src/numbering/numbering.js';
import { systemClock } from '../../src/platform/clock.js';
import { AppError } from '../../src/platform/errors.js';
import { followLines } from '../../src/platform/log-follow.js';
import { clearLines, findLines } from '../../src/platform/log-lines.js';
import { LoggerFactory, type LogLevel, silentLogger } from '../../src/platform/logger.js';
import type { Binding } from '../../src/registrar/types.js';
import { step } from '../../src/routing/steps.js';
import { DEFAULT_BAN_POLICY } from '../../src/security/offence-watch.js';
import { SourceGuard } from '../../src/security/source-guard.js';
import { GuardService } from '../../src/security/source-service.js';
import type { SourceService } from '../../src/security/source-types.js';
import type { Collection, RecordQuery, Store } from '../../src/store/types.js';
import { StoredTasks } from '../../src/tasks/stored-tasks.js';
import type { TraceService, TraceState, WireMessage } from '../../src/trace/types.js';
import { TrunkEditor } from '../../src/trunks/trunk-editor.js';
import { TrunkTable } from '../../src/trunks/trunk-table.js';
import type { TrunkService, TrunkState, TrunkView } from '../../src/trunks/types.js';
import { memoryCollection } from './memory-collection.js';
import { requestText } from './sip-text.js';

/** What tests may look into and put in. */
export interface MmlTestServices extends Services {
  readonly userMap: Map<string, UserView>;
  readonly operatorMap: Map<string, { view: OperatorView; password: string }>;
  readonly bindingMap: Map<string, Binding[]>;
  readonly callMap: Map<string, CallView & { timeline: readonly TimelineEntry[] }>;
  readonly recordList: CallRecord[];
  readonly alarms: AlarmBook;
  /** Where log lines are made. */
  readonly loggers: LoggerFactory;
}

/** In-memory services behind the same interfaces as the real ones. */
export function mmlTestServices(): MmlTestServices {
  const userMap = new Map<string, UserView>();
  const operatorMap = new Map<string, { view: OperatorView; password: string }>();
  const bindingMap = new Map<string, Binding[]>();
  const callMap = new Map<string, CallView & { timeline: readonly TimelineEntry[] }>();
  const recordList: CallRecord[] = [];
  const logs = new LoggerFactory({ level: 'silent', destination: { write: () => undefined } });
  logs.for('call');
  logs.for('engine');
  const addOperator = (name: string, password: string, role: Role) => {
    const view = { name, role, createdAt: 1_700_000_000_000 };
    operatorMap.set(name, { view, password });
    return view;
  };
  addOperator('admin', 'secret', 'ADMIN');
  addOperator('oper', 'secret', 'OPERATOR');
  addOperator('guest', 'secret', 'GUEST');
  const sounds = memorySounds();
  const users = userService(userMap);
  return {
    userMap,
    operatorMap,
    bindingMap,
    callMap,
    recordList,
    alarms: new AlarmBook({ clock: systemClock, log: silentLogger }),
    loggers: logs,
    logs: {
      levels: () => logs.levels(),
      setLevel: async (level, module) => logs.setLevel(level as LogLevel, module),
      find: (query) => findLines(logs.ring, query),
      follow: (query, signal) => followLines(logs.ring, query, systemClock, signal),
      clear: (before) => clearLines(logs.ring, before),
    },
    settings: memorySettings(),
    control: { setDraining: () => undefined, restart: () => undefined },
    licences: async () => [{ name: 'ims-b2bua', version: '0.1.0', licence: 'MIT' }],
    removeRecordsBefore: async (time) => {
      const left = recordList.filter(({ startTime }) => startTime >= time);
      const removed = recordList.length - left.length;
      recordList.splice(0, recordList.length, ...left);
      return removed;
    },
    importUsers: (rows, options) => importUsers(users, rows, options),
    users,
    figures: async () => [
      { part: 'engine', name: 'dialogs', value: 2 },
      { part: 'engine', name: 'transport.admissionDropped', value: 7 },
      { part: 'engine', name: 'traffic.udp.received.INVITE', value: 3 },
      { part: 'engine', name: 'traffic.udp.sent.2xx', value: 2 },
      { part: 'engine', name: 'traffic.udp.received.2xx', value: 1 },
      { part: 'engine', name: 'overload.loopDelayMs', value: 4 },
    ],
    numbering: memoryNumbering(),
    trunks: memoryTrunks(),
    relays: memoryRelays(),
    sources: memorySources(),
    sounds,
    dialler: new Dialler({
      store: memoryStore(),
      users: { authData: async (username) => ({ ...userMap.get(username)!, ha1: { md5: '', sha256: '' } }) },
      calls: {
        originate: () => {
          throw new AppError('NO_CALLS', 'there are no calls here');
        },
      },
      audio: { open: () => Promise.reject(new AppError('NO_AUDIO', 'there is no audio here')) },
      sounds,
      log: silentLogger,
    }),
    conferences: new Conferences({
      store: memoryStore(),
      users: { authData: async () => undefined },
      audio: {
        open: () => Promise.reject(new AppError('NO_AUDIO', 'there is no audio here')),
        playToMix: async () => undefined,
      },
      address: '127.0.0.1',
      callFor: () => {
        throw new AppError('NO_CALLS', 'there are no calls here');
      },
      log: silentLogger,
    }),
    announcements: new StoredAnnouncements({ store: memoryStore(), sounds, log: silentLogger }),
    routes: {
      explain: async (from, to) => ({
        outcome: 'rings',
        callee: to,
        steps: [step('callerMayCall', { user: from })],
        rounds: [],
        onFailure: [],
        headers: [],
      }),
    },
    tasks: new StoredTasks({ store: memoryStore(), log: silentLogger, node: 'n1', server: 'n1:test' }),
    commandGroups: new StoredCommandGroups({ store: memoryStore() }),
    operators: {
      login: async (name, password) => {
        const found = operatorMap.get(name);
        return found && found.password === password ? { ...found.view, grants: [] } : undefined;
      },
      present: async (name) => {
        const found = operatorMap.get(name);
        return found && { ...found.view, grants: [] };
      },
      add: async (name, password, role) => {
        if (operatorMap.has(name)) throw new AppError('OPERATOR_EXISTS', 'exists', { context: { name } });
        return addOperator(name, password, role);
      },
      admit: async (name) => {
        const found = operatorMap.get(name);
        return found && { ...found.view, grants: [] };
      },
      modify: async (name, { role, keys }) => {
        const found = operatorMap.get(name);
        if (!found) throw new AppError('OPERATOR_UNKNOWN', 'unknown', { context: { name } });
        const view = { ...found.view, ...(role && { role }), ...(keys && { keys }) };
        operatorMap.set(name, { ...found, view });
        return view;
      },
      unlock: async () => false,
      remove: async (name) => {
        if (!operatorMap.delete(name))
          throw new AppError('OPERATOR_UNKNOWN', 'unknown', { context: { name } });
      },
      setPassword: async (name, password) => {
        const found = operatorMap.get(name);
        if (!found) throw new AppError('OPERATOR_UNKNOWN', 'unknown');
        operatorMap.set(name, { ...found, password });
      },
      list: async () => [...operatorMap.values()].map((entry) => entry.view),
      ensureAdmin: async () => ({ created: false }),
    },
    registrations: {
      bindings: async (name) => bindingMap.get(name) ?? [],
      list: async ({ after = '', limit = 100 } = {}) =>
        [...bindingMap]
          .filter(([name, bindings]) => name > after && bindings.length > 0)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .slice(0, limit)
          .map(([username, bindings]) => ({ username, bindings })),
      count: async () => ({
        users: bindingMap.size,
        bindings: [...bindingMap.values()].reduce((sum, bindings) => sum + bindings.length, 0),
      }),
      remove: async (name) => {
        const count = bindingMap.get(name)?.length ?? 0;
        bindingMap.delete(name);
        return count;
      },
    },
    calls: {
      list: () => [...callMap.values()],
      get: (id) => callMap.get(id),
      media: async () => [],
      count: () => ({ active: callMap.size, connected: callMap.size, total: 42 }),
      end: async (id) => {
        const call = callMap.get(id);
        callMap.delete(id);
        return call && callRecord({ id, callerNumber: call.caller, calleeNumber: call.callee });
      },
    },
    clicks: { connect: async (from) => (userMap.has(from) ? '01J0000000000000000000000B' : undefined) },
    events: {
      subscriptions: () => [],
      endSubscription: () => false,
      presenceUsers: () => [],
      presenceOf: async () => undefined,
    },
    messages: {
      waitingFor: async () => [],
      listWaiting: async () => [],
      discard: async () => 0,
    },
    records: {
      begin: () => {
        throw new Error('not for consoles');
      },
      query: async (query) => queryRecords(recordList, query),
      get: async (id) => recordList.find((record) => record.id === id),
      backlog: () => ({ waiting: 0, storeAlive: true, open: 0 }),
      flush: async () => {},
      close: async () => {},
    },
    traces: traceService(),
    system: systemInfo,
  };
}

function memorySettings(): RunningSettings {
  const settings = new RunningSettings(loadConfig({}), silentLogger);
  void settings.load(memoryCollection() as unknown as SettingsStore);
  return settings;
}

/** Trunks and routes in memory, none of them watched. */
function memoryTrunks(): TrunkService {
  const table = new TrunkTable(memoryStore(), systemClock, silentLogger, () => undefined);
  const stateOf = ({ name, status, address }: TrunkView): TrunkState => ({
    name,
    status,
    address,
    health: 'up',
    healthReason: '200 OK',
    registration: { state: 'off', reason: '' },
    callsIn: 0,
    callsOut: 0,
    rate: 0,
    refused: 0,
  });
  const users = { authData: () => Promise.resolve(undefined) };
  const editor = new TrunkEditor(table, users, 'ims');
  return Object.assign(editor, { states: () => editor.list().map(stateOf) });
}

/** Relays at which nobody listens; nothing is sent before they are asked. */
function memoryRelays(): StoredRelays {
  const [clock, log] = [systemClock, silentLogger];
  const { control } = createRtpProxyRelay(['rtpproxy+udp://127.0.0.1:9'], { clock, log });
  return new StoredRelays({
    store: memoryStore(),
    control: control!,
    isAlone: false,
    node: 'test',
    clock,
    log,
  });
}

/** Black and white list in memory, before no engine. */
function memorySources(): SourceService {
  const guard = new SourceGuard({
    store: memoryStore(),
    trusted: ['127.0.0.0/8'],
    policy: DEFAULT_BAN_POLICY,
    onBan: () => undefined,
    log: silentLogger,
  });
  return new GuardService(guard);
}

/** Holds one call of two legs, once it was started. */
function traceService(): TraceService {
  let state: TraceState = { active: false, filter: {}, kept: 0, lost: 0 };
  const sdp = { headers: ['Content-Type: application/sdp'], body: 'v=0\r\ns=\u001b[2J\r\n' };
  const invite = requestText({ method: 'INVITE', callId: 'abc@pc33', ...sdp });
  const onWire = (callId: string, sent: boolean, mono: number): WireMessage => ({
    at: 1_700_000_000_000 + mono,
    mono,
    sent,
    protocol: 'udp',
    local: '192.0.2.1:5060',
    peer: callId === 'abc@pc33' ? '192.0.2.7:5062' : '192.0.2.8:5064',
    callId,
    text: invite,
  });
  const messages = [onWire('abc@pc33', false, 0), onWire('leg-b', true, 20), onWire('other', false, 30)];
  return {
    start: async (filter) => {
      state = { active: true, filter, kept: messages.length, lost: 0 };
      return state;
    },
    stop: async () => {
      state = { ...state, active: false };
      return state;
    },
    read: async () => ({ state, messages: state.kept > 0 ? messages : [] }),
  };
}

/** Tones, and files of a directory that is not there. */
function memorySounds(): SoundLibrary {
  const cache = new SoundCache();
  return new SoundLibrary('/nowhere/sounds', {
    check: async (sound) => ({ durationMs: (await cache.load(sound)).length / 8 }),
  });
}

function memoryNumbering(): StoredNumbering {
  return new StoredNumbering({ store: memoryStore() });
}

function memoryStore(): Store {
  const collections = new Map<string, Collection>();
  const collection = (name: string): Collection => {
    const known = collections.get(name) ?? memoryCollection();
    collections.set(name, known);
    return known;
  };
  return { collection } as unknown as Store;
}

function userService(users: Map<string, UserView>): Services['users'] {
  const must = (name: string) => {
    const user = users.get(name);
    if (!user) throw new AppError('USER_UNKNOWN', 'unknown user', { context: { username: name } });
    return user;
  };
  const fields = ({ password: _password, features, ...rest }: UserInput, before?: UserView) => ({
    ...rest,
    ...(features && { features: changeFeatures(before?.username ?? '', before?.features, features) }),
  });
  return {
    add: async (username, input) => {
      if (users.has(username)) throw new AppError('USER_EXISTS', 'exists', { context: { username } });
      if (input.password.length < 4) throw new AppError('PASSWORD_WEAK', 'at least 4 characters');
      const base = { username, realm: 'ims', displayName: '', phone: '', email: '' };
      const defaults = { status: 'ACTIVE', serviceType: 'BASIC', createdAt: 1e12, updatedAt: 1e12 } as const;
      const user: UserView = { ...base, ...defaults, ...fields(input) };
      users.set(username, user);
      return user;
    },
    modify: async (username, input) => {
      const user = { ...must(username), ...fields(input, must(username)) };
      users.set(username, user);
      return user;
    },
    remove: async (username) => {
      must(username);
      users.delete(username);
    },
    view: async (username) => users.get(username),
    list: async ({ after = '', limit = 100, prefix = '' } = {}) =>
      [...users.values()]
        .filter((user) => user.username > after && user.username.startsWith(prefix))
        .sort((a, b) => (a.username < b.username ? -1 : 1))
        .slice(0, limit),
    count: async () => users.size,
    authData: async (): Promise<User | undefined> => undefined,
  };
}

function queryRecords(records: readonly CallRecord[], query: RecordQuery) {
  const offset = query.cursor === undefined ? 0 : Number(query.cursor);
  const limit = query.limit ?? 100;
  const found = records
    .filter(
      (record) =>
        (query.from === undefined || record.startTime >= query.from) &&
        (query.to === undefined || record.startTime < query.to) &&
        (query.type === undefined || record.type === query.type) &&
        (query.result === undefined || record.result === query.result) &&
        (query.number === undefined || [record.callerNumber, record.calleeNumber].includes(query.number)) &&
        (query.caller === undefined || record.callerNumber === query.caller) &&
        (query.callee === undefined || record.calleeNumber === query.callee),
    )
    .sort((a, b) => (query.order === 'asc' ? a.startTime - b.startTime : b.startTime - a.startTime));
  const page = found.slice(offset, offset + limit);
  const next = offset + limit < found.length ? { next: String(offset + limit) } : {};
  return { records: page, ...next };
}

/** A closed record with likely values. */
export function callRecord(fields: Partial<CallRecord> = {}): CallRecord {
  return {
    id: '01J0000000000000000000000A',
    type: 'CALL',
    result: 'ANSWERED',
    startTime: 1_790_000_000_000,
    answerTime: 1_790_000_002_000,
    endTime: 1_790_000_012_000,
    durationMs: 12_000,
    billSec: 10,
    setupMs: 2000,
    pddMs: 300,
    callId: 'a@127.0.0.1',
    bCallIds: ['b@127.0.0.1'],
    callerUri: 'sip:1001@ims',
    callerNumber: '1001',
    callerIp: '127.0.0.1',
    callerPort: 5062,
    callerTransport: 'udp',
    calleeNumber: '1002',
    dialledNumber: '1002',
    sipStatus: 200,
    sipReason: 'OK',
    releaseParty: 'CALLER',
    releaseReason: 'caller-hung-up',
    direction: 'INTERNAL',
    attempts: [],
    media: [],
    dtmfCount: 0,
    holdMs: 0,
    reinvites: 0,
    node: 'n1',
    engine: 'embedded',
    serverIp: '127.0.0.1',
    serverPort: 5060,
    ...fields,
  };
}

function systemInfo(): SystemInfo {
  return {
    product: 'ims-b2bua',
    version: '0.1.0',
    node: 'n1',
    pid: process.pid,
    startedAt: Date.now() - 60_000,
    state: 'running',
    realm: 'ims',
    engine: 'embedded',
    engineConnected: true,
    relay: 'embedded',
    store: 'lmdb ./data/store',
    storeAlive: true,
    listeners: ['udp:127.0.0.1:5060'],
    rssBytes: 64 * 1024 * 1024,
    heapUsedBytes: 20 * 1024 * 1024,
    cpuShare: 0.01,
    cpuCores: 2,
    memoryBytes: 2 ** 32,
    heapLimitBytes: 2 ** 31,
    loopDelayMs: 1.2,
  };
}
