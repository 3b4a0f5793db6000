import type { CallRecord } from '../../src/cdr/types.js';
import type { LinkTransport } from './peer-link.js';
import { untilRecords } from './records.js';
import { startServer, type TestServer, type TestServerOptions } from './server.js';
import { SipPeer } from './sip-peer.js';

export interface PhoneChoice {
  readonly register?: boolean;
  readonly password?: string;
  readonly transport?: LinkTransport;
  /** Has the last word on how a message is written. */
  readonly write?: (text: string) => string;
  /** In place of 127.0.0.1 and the port for the transport. */
  readonly server?: { readonly address: string; readonly port: number };
  /** Another loopback address to send from. */
  readonly from?: string;
}

/** A whole server as a process of its own, with subscribers 1001 to 1004 and phones that do what a test says. */
export interface CallServer {
  /** The process that runs now. */
  readonly server: TestServer;
  readonly users: Readonly<Record<string, string>>;
  /** A phone of a subscriber, registered unless told. */
  phone(username: string, options?: PhoneChoice): Promise<SipPeer>;
  /** Records of calls in the Store, oldest first, once there are `count` of them; fails when there are more. */
  records(count: number): Promise<CallRecord[]>;
  /** The records of the caller's Call-ID, once there are `count` of them, default 1; fails when there are more. */
  recordsOf(callId: string | undefined, count?: number): Promise<CallRecord[]>;
  /** What one console command prints, over the local socket. */
  mml(command: string, format?: 'JSON'): Promise<string>;
  /** The same of commands that must succeed, one after the other; rejects with the report when one does not. */
  mmlOk(...commands: string[]): Promise<string>;
  /** Starts the server again, on its ports and directory. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startCallServer(
  env: Record<string, string> = {},
  options: Pick<TestServerOptions, 'fileBlocks'> = {},
): Promise<CallServer> {
  const users = { 1001: '1001-secret', 1002: '1002-secret', 1003: '1003-secret', 1004: '1004-secret' };
  let server = await startServer({ users, env, ...options });
  const phones: SipPeer[] = [];
  return {
    get server() {
      return server;
    },
    users,
    phone: async (username, choice = {}) => {
      const { register = true, password, transport = 'udp', server: at, write, from } = choice;
      const phone = await SipPeer.open({
        username,
        password: password ?? (users as Record<string, string>)[username] ?? '',
        transport,
        write,
        from,
        server: at ?? {
          address: server.address,
          port: server.sipPort(transport),
        },
      });
      phones.push(phone);
      if (register) {
        const { statusCode } = await phone.register();
        if (statusCode !== 200) throw new Error(`REGISTER of ${username}: ${statusCode}`);
      }
      return phone;
    },
    records: (count) => untilRecords(server, count),
    recordsOf: (callId, count = 1) => untilRecords(server, count, (record) => record.callId === callId),
    mml: (command, format) => server.mml(command, format),
    mmlOk: (...commands) => server.mmlOk(...commands),
    restart: async () => {
      server = await server.restart();
    },
    close: async () => {
      await Promise.all(phones.map((phone) => phone.close()));
      await server.close();
    },
  };
}
