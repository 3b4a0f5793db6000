import { join } from 'node:path';
import { StoredUsers } from '../../src/accounts/stored-users.js';
import { AlarmBook } from '../../src/alarms/alarm-book.js';
import { StoredAnnouncements } from '../../src/announcements/announcements.js';
import { createAudioHost } from '../../src/audio/host.js';
import { SoundLibrary } from '../../src/audio/sound-library.js';
import type { AudioHost } from '../../src/audio/types.js';
import { createCallControl, resumeCallControl } from '../../src/call/call-control.js';
import type {
  CallControl,
  CallControlOptions,
  CallLimits,
  CallSurvival,
} from '../../src/call/call-control-options.js';
import type { CallState } from '../../src/call/types.js';
import { openRecords } from '../../src/cdr/record-service.js';
import type { CallRecord } from '../../src/cdr/types.js';
import { Conferences } from '../../src/conference/conferences.js';
import type { Engine } from '../../src/engine/engine.js';
import type { TimerSettings } from '../../src/engine/types.js';
import { Events } from '../../src/events/events.js';
import type { EventLimits } from '../../src/events/types.js';
import type { MediaRelay } from '../../src/media/types.js';
import { Messaging } from '../../src/messaging/message-service.js';
import type { MessageLimits } from '../../src/messaging/types.js';
import { StoredNumbering } from '../../src/numbering/numbering.js';
import { type Clock, systemClock } from '../../src/platform/clock.js';
import { LoggerFactory, type LogLevel } from '../../src/platform/logger.js';
import { createRegistrar, type Registrar, type RegistrarOptions } from '../../src/registrar/registrar.js';
import { AuthThrottle } from '../../src/security/auth-throttle.js';
import { Authenticator } from '../../src/security/authenticator.js';
import { Nonces } from '../../src/security/nonces.js';
import type { SignallingConnection } from '../../src/signalling/connection.js';
import { LocalNames } from '../../src/signalling/local-names.js';
import { ladder } from '../../src/trace/ladder.js';
import type { OutsideDefaults } from '../../src/trunks/outside-rights.js';
import { openTrunks } from '../../src/trunks/trunks.js';
import type { TrunkInput, TrunkService } from '../../src/trunks/types.js';
import { freePorts } from './free-ports.js';
import { openEngine, openRelay, watchRecords } from './rig-parts.js';
import { SipPeer } from './sip-peer.js';
import { openTempStore } from './temp-store.js';
import { waitFor } from './wait-for.js';

const REALM = 'ims';
const AUDIO_PORTS = 60;

/** Call control with all that it needs, in this process: a real engine, Store, registrar, relay and journal. */
export interface CallRig {
  readonly server: { readonly address: string; readonly port: number };
  readonly control: CallControl;
  readonly messaging: Messaging;
  readonly events: Events;
  readonly registrar: Registrar;
  readonly users: StoredUsers;
  readonly numbering: StoredNumbering;
  /** All off at first; files are looked for in `sounds.directory`. */
  readonly announcements: StoredAnnouncements;
  readonly audio: AudioHost;
  readonly sounds: SoundLibrary;
  readonly conferences: Conferences;
  readonly trunks: TrunkService;
  readonly alarms: AlarmBook;
  readonly connection: SignallingConnection;
  /** Undefined when SIP_ENGINE names an engine elsewhere. */
  readonly engine: Engine | undefined;
  /** A peer that is no subscriber: a gateway or a stranger. */
  peer(name: string): Promise<SipPeer>;
  /** A phone of the subscriber, made when new; registered unless told. */
  phone(username: string, options?: { register?: boolean }): Promise<SipPeer>;
  /** The closed records, once there are `count` of them and no call is left; fails when there are more. */
  records(count: number): Promise<CallRecord[]>;
  /** Waits until the only call is in that state: a phone may know of it first. */
  stateIs(state: CallState): Promise<void>;
  /** The ladder of the record closed last. */
  ladder(): string;
  close(): Promise<void>;
}

export interface CallRigOptions {
  readonly limits?: CallLimits;
  readonly messages?: MessageLimits;
  readonly events?: EventLimits;
  /** Timers of the engine; shorter ones make loss tests quick. Such a test cannot run on an engine elsewhere. */
  readonly timers?: Partial<TimerSettings>;
  /** See EngineChoice. */
  readonly coalesceMs?: number;
  /** Time of call control and records; the engine and the relay have their own. */
  readonly clock?: Clock;
  /** Time of the engine; such a test cannot run on an engine elsewhere. */
  readonly engineClock?: Clock;
  /** Limits of subscribers for calls to the outside. */
  readonly outside?: OutsideDefaults;
  /** In place of the built-in relay or that of MEDIA_RELAY. */
  readonly relay?: MediaRelay;
  /** Trunks that are there when call control begins. */
  readonly trunks?: Readonly<Record<string, TrunkInput>>;
  /** Calls of the last run go on, those that can. */
  readonly survival?: CallSurvival;
  /** Of the audio host, two for each endpoint; some that nobody has when absent. */
  readonly audioPorts?: { readonly min: number; readonly max: number };
}

/** A rig with registered phones of 1001 and 1002. */
export async function startTwoPhones(
  options: CallRigOptions = {},
): Promise<{ rig: CallRig; a: SipPeer; b: SipPeer }> {
  const rig = await startCallRig(options);
  try {
    return { rig, a: await rig.phone('1001'), b: await rig.phone('1002') };
  } catch (error) {
    await rig.close();
    throw error;
  }
}

/** The same and 1003. */
export async function startThreePhones(
  options: CallRigOptions = {},
): Promise<{ rig: CallRig; a: SipPeer; b: SipPeer; c: SipPeer }> {
  const { rig, a, b } = await startTwoPhones(options);
  try {
    return { rig, a, b, c: await rig.phone('1003') };
  } catch (error) {
    await rig.close();
    throw error;
  }
}

/** Starts a rig. SIP_ENGINE and MEDIA_RELAY of the environment choose parts elsewhere, as in the server. */
export async function startCallRig(options: CallRigOptions = {}): Promise<CallRig> {
  const closers: (() => Promise<unknown>)[] = [];
  const log = new LoggerFactory({ level: (process.env['TEST_LOG'] as LogLevel) ?? 'silent' }).for('rig');
  const temp = await openTempStore();
  closers.push(temp.close);
  const { engine, connection } = await openEngine(options, log);
  if (engine) closers.push(() => engine.close());
  closers.push(() => connection.close());
  const relay = options.relay ?? (await openRelay(log));
  if (!options.relay) closers.push(() => relay.close());

  const audioPorts = options.audioPorts ?? (await freePorts(AUDIO_PORTS));
  const audio = createAudioHost({ address: '127.0.0.1', ports: audioPorts, log });
  closers.push(() => audio.close());
  const sounds = new SoundLibrary(temp.directory, audio);
  const announcements = new StoredAnnouncements({ store: temp.store, sounds, log });

  const users = new StoredUsers({ store: temp.store, realm: REALM });
  const numbering = new StoredNumbering({ store: temp.store });
  const names = new LocalNames([REALM, '127.0.0.1', 'localhost']);
  const nonces = new Nonces({ secret: Buffer.alloc(32, 7) });
  const throttle = new AuthThrottle();
  const authenticator = new Authenticator({ realm: REALM, users, names, nonces, throttle, log });
  const { bindings } = temp.store;
  let onRegistered: RegistrarOptions['onRegistered'];
  let events: Events | undefined;
  const { clock = systemClock } = options;
  const conferences = new Conferences({
    store: temp.store,
    users,
    audio,
    address: '127.0.0.1',
    callFor: (user, to, by) => control.callFor(user, to, by),
    log,
    clock,
  });
  const registrar = createRegistrar({
    connection,
    authenticator,
    bindings,
    realm: REALM,
    names,
    log,
    onRegistered: (username, isNew) => onRegistered?.(username, isNew),
    observer: ({ username }) => events?.registrationChanged(username),
  });
  closers.push(() => registrar.close());
  const node = { node: 'rig', engine: connection.description, serverIp: '127.0.0.1', serverPort: 0 };
  const journalDir = join(temp.directory, 'journal');
  const records = await openRecords({ journalDir, store: temp.store, log, node, clock });
  closers.push(() => records.close());
  const watched = watchRecords(records);
  const messaging = new Messaging({
    authenticator,
    connection,
    registrations: registrar,
    collection: temp.store.collection('messages'),
    users,
    numbering,
    records: watched.service,
    names,
    realm: REALM,
    log,
    clock,
    onWaiting: (username) => events?.messagesChanged(username),
    ...(options.messages && { limits: options.messages }),
  });
  onRegistered = (username, isNew) => messaging.registered(username, isNew);
  closers.push(() => messaging.close());
  const eventing = new Events({
    authenticator,
    connection,
    users,
    names,
    registrations: registrar,
    watchCalls: (watcher) => control.watch(watcher),
    waitingMessages: async (username) => (await messaging.waitingFor(username)).length,
    log,
    clock,
    ...(options.events && { limits: options.events }),
  });
  events = eventing;
  closers.push(() => eventing.close());
  const alarms = new AlarmBook({ clock, log });
  const trunks = await openTrunks({
    alarms,
    store: temp.store,
    connection,
    users,
    auth: { realm: REALM, names, nonces, throttle, log },
    ownHost: '127.0.0.1',
    log,
    clock,
    ...(options.outside && { defaults: options.outside }),
  });
  closers.push(() => trunks.close());
  for (const [name, trunk] of Object.entries(options.trunks ?? {})) await trunks.service.add(name, trunk);
  const controlOptions: CallControlOptions = {
    connection,
    authenticator,
    users,
    numbering,
    registrations: registrar,
    relay,
    records: watched.service,
    names,
    announcer: { audio, announcements },
    outside: {
      MESSAGE: (req, res) => messaging.handle(req, res),
      SUBSCRIBE: (req, res) => eventing.onSubscribe(req, res),
      PUBLISH: (req, res) => eventing.onPublish(req, res),
    },
    trunks,
    conferences,
    log,
    clock,
    ...(options.limits && { limits: options.limits }),
    ...(options.survival && { survival: options.survival }),
  };
  const control: CallControl = options.survival
    ? await resumeCallControl(controlOptions)
    : createCallControl(controlOptions);
  closers.push(() => control.close());

  const udp = connection.hostports.find(({ protocol }) => protocol === 'udp');
  const server = { address: udp?.address ?? '127.0.0.1', port: udp?.port ?? 0 };
  return {
    server,
    control,
    messaging,
    events: eventing,
    registrar,
    users,
    numbering,
    announcements,
    audio,
    sounds,
    conferences,
    trunks: trunks.service,
    alarms,
    connection,
    engine,
    peer: async (username) => {
      const peer = await SipPeer.open({ username, password: '', server });
      closers.unshift(() => peer.close());
      return peer;
    },
    phone: async (username, { register = true } = {}) => {
      const password = `${username}-secret`;
      if (!(await users.view(username))) await users.add(username, { password });
      const phone = await SipPeer.open({ username, password, server });
      closers.unshift(() => phone.close());
      if (register) {
        const { statusCode } = await phone.register();
        if (statusCode !== 200) throw new Error(`REGISTER of ${username}: ${statusCode}`);
      }
      return phone;
    },
    records: async (count) => {
      await waitFor(
        `${count} records and no call`,
        () => watched.closed.length >= count && control.count().active === 0,
      );
      if (watched.closed.length > count)
        throw new Error(`${watched.closed.length} records in place of ${count}`);
      return watched.closed;
    },
    stateIs: (state) => waitFor(`a call that is ${state}`, () => control.list()[0]?.state === state),
    ladder: () => ladder(watched.timelines.at(-1) ?? [], { width: 110 }),
    close: async () => {
      for (const close of closers.reverse()) await close();
    },
  };
}
