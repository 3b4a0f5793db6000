import type { UserService } from '../accounts/types.js';
import type { AnnouncementFinder } from '../announcements/types.js';
import type { AudioHost } from '../audio/types.js';
import { resumeCallControl } from '../call/call-control.js';
import type { CallControl } from '../call/call-control-options.js';
import type { JournalledRecords } from '../cdr/record-service.js';
import { Conferences } from '../conference/conferences.js';
import { Events } from '../events/events.js';
import type { MediaRelay } from '../media/types.js';
import { Messaging } from '../messaging/message-service.js';
import type { NumberingService } from '../numbering/types.js';
import { createRegistrar, type Registrar } from '../registrar/registrar.js';
import { AuthThrottle } from '../security/auth-throttle.js';
import { Authenticator } from '../security/authenticator.js';
import { loadNonceSecret } from '../security/nonce-secret.js';
import { Nonces } from '../security/nonces.js';
import type { SourceGuard } from '../security/source-guard.js';
import type { SignallingConnection } from '../signalling/connection.js';
import { LocalNames, machineNames } from '../signalling/local-names.js';
import type { Store } from '../store/types.js';
import { openTrunks, type Trunks } from '../trunks/trunks.js';
import { bindingPolicy, callLimits, eventLimits, messageLimits, outsideDefaults } from './live-limits.js';
import { registerRecords } from './register-records.js';
import type { ServerContext } from './server-context.js';

/** What registrar and call control are made of. */
export interface TelephonyParts {
  readonly connection: SignallingConnection;
  readonly store: Store;
  readonly users: UserService;
  readonly numbering: NumberingService;
  readonly records: JournalledRecords;
  readonly relay: MediaRelay;
  readonly audio: AudioHost;
  /** Where audio endpoints are. */
  readonly audioAddress: string;
  readonly announcements: AnnouncementFinder;
  readonly guard: SourceGuard;
}

export interface Telephony {
  readonly registrations: Registrar;
  readonly calls: CallControl;
  readonly messages: Messaging;
  readonly events: Events;
  readonly trunks: Trunks;
  readonly conferences: Conferences;
}

/** Starts the registrar and call control on one engine, with one authenticator; from now on phones are served. */
export async function openTelephony(context: ServerContext, wired: TelephonyParts): Promise<Telephony> {
  const { config, logs, parts, serverIp, alarms } = context;
  const { connection, store, users, numbering, records, relay, audio, announcements } = wired;
  const names = new LocalNames([config.SIP_REALM, serverIp, ...config.SIP_DOMAINS, ...machineNames()]);
  names.add(...connection.hostports.map(({ address }) => address));
  names.add(...config.ADVERTISE.map(({ address }) => address));
  const auth = {
    realm: config.SIP_REALM,
    names,
    nonces: new Nonces({ secret: await loadNonceSecret(store.collection('settings'), logs.for('security')) }),
    throttle: new AuthThrottle(),
    algorithms: config.AUTH_ALGORITHMS,
    observer: wired.guard,
    log: logs.for('security'),
  };
  const authenticator = new Authenticator({ ...auth, users });
  const trunks = await openTrunks({
    store,
    connection,
    users,
    auth,
    ownHost: serverIp,
    defaults: outsideDefaults(config),
    log: logs.for('trunks'),
    alarms,
  });
  parts.own('trunks', trunks);
  wired.guard.isTrunk = (address) => trunks.isSource(address);
  wired.guard.hasTrunkIn = (network) => trunks.hasSourceIn(network);
  let messages: Messaging | undefined;
  let events: Events | undefined;
  const record = registerRecords(records, config.SIP_REALM);
  const registrations = createRegistrar({
    connection,
    authenticator,
    bindings: store.bindings,
    realm: config.SIP_REALM,
    names,
    policy: bindingPolicy(config),
    observer: (event) => {
      record(event);
      if (event.kind !== 'refused') events?.registrationChanged(event.username);
    },
    onRegistered: (username, isNew) => messages?.registered(username, isNew),
    log: logs.for('registrar'),
  });
  parts.own('registrar', registrations);
  const messaging = openMessaging(context, {
    ...wired,
    authenticator,
    registrations,
    names,
    onWaiting: (username) => events?.messagesChanged(username),
  });
  messages = messaging;
  const eventing = openEvents(context, {
    connection,
    users,
    authenticator,
    names,
    messaging,
    registrations,
    watchCalls: (watcher) => calls.watch(watcher),
  });
  events = eventing;
  const conferences = new Conferences({
    store,
    users,
    audio,
    address: wired.audioAddress,
    callFor: (user, to, by) => calls.callFor(user, to, by),
    log: logs.for('conference'),
  });
  const maxAwayMs = config.CALL_RESTORE_SEC * 1000;
  const calls: CallControl = await resumeCallControl({
    connection,
    authenticator,
    users,
    numbering,
    registrations,
    relay,
    records,
    names,
    announcer: { audio, announcements },
    outside: {
      MESSAGE: (req, res) => messaging.handle(req, res),
      SUBSCRIBE: (req, res) => eventing.onSubscribe(req, res),
      PUBLISH: (req, res) => eventing.onPublish(req, res),
    },
    trunks,
    conferences,
    realm: config.SIP_REALM,
    ...(maxAwayMs > 0 && { survival: { left: () => records.left(), maxAwayMs } }),
    limits: callLimits(config),
    log: logs.for('call'),
  });
  return {
    registrations,
    calls: parts.own('calls', calls),
    messages: messaging,
    events: eventing,
    trunks,
    conferences,
  };
}

type MessagingParts = Omit<TelephonyParts, 'relay' | 'audio' | 'announcements'> & {
  readonly authenticator: Authenticator;
  readonly registrations: Registrar;
  readonly names: LocalNames;
  onWaiting(username: string): void;
};

function openMessaging({ config, logs, parts }: ServerContext, wired: MessagingParts): Messaging {
  const messaging = new Messaging({
    ...wired,
    collection: wired.store.collection('messages'),
    realm: config.SIP_REALM,
    recordBodies: config.MESSAGE_RECORD_BODY,
    limits: messageLimits(config),
    log: logs.for('messaging'),
  });
  return parts.own('messages', messaging);
}

interface EventParts extends Pick<TelephonyParts, 'connection' | 'users'> {
  readonly authenticator: Authenticator;
  readonly names: LocalNames;
  readonly messaging: Messaging;
  readonly registrations: Registrar;
  readonly watchCalls: CallControl['watch'];
}

function openEvents({ config, logs, parts }: ServerContext, wired: EventParts): Events {
  const events = new Events({
    ...wired,
    waitingMessages: async (username) => (await wired.messaging.waitingFor(username)).length,
    limits: eventLimits(config),
    log: logs.for('events'),
  });
  return parts.own('events', events);
}
