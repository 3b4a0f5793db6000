import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Phone } from '../../src/testkit/phone.js';
import { startServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

interface Row {
  readonly callerNumber: string;
  readonly releaseReason: string;
  readonly expires?: number;
}

test('a phone that comes and goes leaves one record each way, a refresh none', async () => {
  const server = await startServer({ users: { 1001: 'secret-1' } });
  const phone = await Phone.open({
    username: '1001',
    password: 'secret-1',
    domain: 'ims',
    server: { address: '127.0.0.1', port: server.udpPort },
    address: '127.0.0.1',
    toneHz: 440,
  });
  try {
    await phone.register(300);
    await phone.register(300);
    await phone.register(0);
    const rows = async (): Promise<Row[]> => {
      const { stdout } = await server.ims('cdr', 'list', '--json', '--type', 'REGISTER');
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Row);
    };
    await waitFor('both records', async () => (await rows()).length >= 2);
    assert.deepEqual(
      (await rows()).map(({ callerNumber, releaseReason, expires }) => [
        callerNumber,
        releaseReason,
        expires,
      ]),
      [
        ['1001', 'unregistered', 0],
        ['1001', 'registered', 300],
      ],
    );
  } finally {
    await phone.close();
    await server.close();
  }
});
