import { randomBytes } from 'node:crypto';
import { StoredUsers } from '../../src/accounts/stored-users.js';
import { type Engine, startEngine } from '../../src/engine/engine.js';
import { silentLogger } from '../../src/platform/logger.js';
import { type BindingPolicy, DEFAULT_BINDING_POLICY } from '../../src/registrar/apply-register.js';
import { createRegistrar, type Registrar } from '../../src/registrar/registrar.js';
import type { RegistrationEvent } from '../../src/registrar/registration-events.js';
import { AuthThrottle, type ThrottleLimits } from '../../src/security/auth-throttle.js';
import { Authenticator } from '../../src/security/authenticator.js';
import { Nonces } from '../../src/security/nonces.js';
import { connectEngine, type SignallingConnection } from '../../src/signalling/connection.js';
import { LocalNames } from '../../src/signalling/local-names.js';
import type { Store } from '../../src/store/types.js';
import { installFallbacks } from './install-fallbacks.js';
import { ManualClock } from './manual-clock.js';
import { RawUdp } from './raw-sockets.js';
import { requestText, statusOf } from './sip-text.js';
import { waitFor } from './wait-for.js';

export const REALM = 'ims';
/** Password of a rig's user. */
export const passwordOf = (username: string): string => `secret-${username}`;

export interface RegistrarRig {
  readonly engine: Engine;
  readonly connection: SignallingConnection;
  readonly registrar: Registrar;
  readonly authenticator: Authenticator;
  readonly users: StoredUsers;
  readonly events: RegistrationEvent[];
  /** Time of nonces and throttle. */
  readonly authClock: ManualClock;
  readonly udpPort: number;
  readonly tcpPort: number;
  /** Ends all but the Store. */
  close(): Promise<void>;
}

export interface RigOptions {
  readonly store: Store;
  readonly policy?: Partial<BindingPolicy>;
  readonly throttle?: ThrottleLimits;
  /** Users to make; default 1001 and 1002. */
  readonly users?: readonly string[];
}

/** A real engine with a registrar on it, on ports of the system's choice. */
export async function startRegistrarRig(options: RigOptions): Promise<RegistrarRig> {
  const secret = 'rig-secret';
  const listen = (protocol: 'udp' | 'tcp') => ({ protocol, address: '127.0.0.1', port: 0 });
  const engine = await startEngine({ sipListen: [listen('udp'), listen('tcp')], admin: { port: 0, secret } });
  const log = silentLogger;
  const connection = await connectEngine({ host: '127.0.0.1', port: engine.adminPort, secret, log });
  const users = new StoredUsers({ store: options.store, realm: REALM });
  for (const username of options.users ?? ['1001', '1002'])
    if (!(await users.view(username))) await users.add(username, { password: passwordOf(username) });
  const names = new LocalNames([REALM, '127.0.0.1', 'localhost']);
  const authClock = new ManualClock(Date.now());
  const authenticator = new Authenticator({
    realm: REALM,
    users,
    names,
    nonces: new Nonces({ secret: randomBytes(32), clock: authClock }),
    throttle: new AuthThrottle(options.throttle, authClock),
    log,
  });
  const events: RegistrationEvent[] = [];
  const registrar = createRegistrar({
    connection,
    authenticator,
    bindings: options.store.bindings,
    realm: REALM,
    names,
    policy: { ...DEFAULT_BINDING_POLICY, ...options.policy },
    observer: (event) => events.push(event),
    log,
  });
  installFallbacks(connection);
  const port = (protocol: string): number =>
    engine.listeners.find((listener) => listener.protocol === protocol)!.port;
  await takesRequests(port('udp'));
  return {
    engine,
    connection,
    registrar,
    authenticator,
    users,
    events,
    authClock,
    udpPort: port('udp'),
    tcpPort: port('tcp'),
    close: async () => {
      await registrar.close();
      await connection.close();
      await engine.close();
    },
  };
}

/** Waits until the engine knows where requests go: that is told it after the connection stands. */
async function takesRequests(port: number): Promise<void> {
  const socket = await RawUdp.open();
  try {
    await waitFor('the engine to route requests', async () => {
      socket.send(requestText({ via: `SIP/2.0/UDP 127.0.0.1:${socket.port};rport` }), port);
      return statusOf(await socket.inbox.next()) === 200;
    });
  } finally {
    await socket.close();
  }
}
