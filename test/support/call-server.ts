import type { CallRecord } from '../../src/cdr/types.js';
import { startServer, type TestServer } from './server.js';
import { SipPeer } from './sip-peer.js';
import { waitFor } from './wait-for.js';

/** A whole server as a process of its own, with subscribers 1001 to 1003 and phones that do what a test says. */
export interface CallServer {
  readonly server: TestServer;
  readonly users: Readonly<Record<string, string>>;
  /** A phone of a subscriber, registered unless told. */
  phone(username: string, options?: { register?: boolean; password?: string }): Promise<SipPeer>;
  /** Records of calls in the Store, oldest first, once there are `count` of them; fails when there are more. */
  records(count: number): Promise<CallRecord[]>;
  close(): Promise<void>;
}

export async function startCallServer(env: Record<string, string> = {}): Promise<CallServer> {
  const users = { 1001: '1001-secret', 1002: '1002-secret', 1003: '1003-secret' };
  const server = await startServer({ users, env });
  const phones: SipPeer[] = [];
  const list = async (): Promise<CallRecord[]> => {
    const { stdout } = await server.ims('cdr', 'list', '--json', '--type', 'CALL', '--last', '1000');
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as CallRecord).reverse();
  };
  return {
    server,
    users,
    phone: async (username, { register = true, password } = {}) => {
      const phone = await SipPeer.open({
        username,
        password: password ?? (users as Record<string, string>)[username] ?? '',
        server: { address: server.address, port: server.udpPort },
      });
      phones.push(phone);
      if (register) {
        const { statusCode } = await phone.register();
        if (statusCode !== 200) throw new Error(`REGISTER of ${username}: ${statusCode}`);
      }
      return phone;
    },
    records: async (count) => {
      let records: CallRecord[] = [];
      await waitFor(`${count} records`, async () => {
        records = await list();
        return records.length >= count;
      });
      if (records.length > count) throw new Error(`${records.length} records in place of ${count}`);
      return records;
    },
    close: async () => {
      await Promise.all(phones.map((phone) => phone.close()));
      await server.close();
    },
  };
}
