import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Baresip } from '../support/baresip.js';
import { Certificates } from '../support/certificates.js';
import { missing } from '../support/peers.js';
import { callRecords } from '../support/records.js';
import { startServer, type TestServer } from '../support/server.js';

const TLS_HZ = 440;
const UDP_HZ = 1000;
const TONES = [TLS_HZ, UDP_HZ];
const PASSWORD = 'correct-horse';

const otherEngine =
  (process.env['SIP_ENGINE'] ?? 'embedded') === 'embedded' ? false : 'listeners of the built-in engine';

describe('baresip over TLS', { skip: otherEngine || missing('baresip', 'openssl') }, () => {
  const files = new Certificates();
  const phones: Baresip[] = [];
  let server: TestServer;
  let caFile: string;

  before(async () => {
    const authority = files.selfSigned();
    const ours = files.issue(authority, 'IP:127.0.0.1', 'DNS:localhost');
    caFile = authority.certificateFile;
    server = await startServer({
      users: { 1001: PASSWORD, 1002: PASSWORD },
      env: {
        SIP_LISTEN: 'udp:127.0.0.1:0,tls:127.0.0.1:0',
        SIP_TLS_CERT: ours.certificateFile,
        SIP_TLS_KEY: ours.keyFile,
      },
    });
  });
  after(async () => {
    await Promise.all(phones.map((phone) => phone.close()));
    await server?.close();
    files.close();
  });

  async function phone(username: string, toneHz: number, transport: 'udp' | 'tls'): Promise<Baresip> {
    const { address } = server;
    const started = await Baresip.start({
      username,
      password: PASSWORD,
      toneHz,
      transport,
      server: { address, port: server.sipPort(transport) },
      ...(transport === 'tls' ? { caFile } : {}),
    });
    phones.push(started);
    await started.registered();
    return started;
  }

  async function callUp(from: Baresip, to: Baresip, number: string): Promise<void> {
    from.command('dial', number);
    await to.event('CALL_INCOMING');
    to.command('accept');
    await Promise.all([from.event('CALL_ESTABLISHED'), to.event('CALL_ESTABLISHED')]);
  }

  test('RFC 3261 §26.2.1: it registers, calls a phone on UDP and is called by it; both hear', async () => {
    const tls = await phone('1001', TLS_HZ, 'tls');
    const udp = await phone('1002', UDP_HZ, 'udp');
    await callUp(tls, udp, '1002');
    assert.deepEqual(await Promise.all([tls.hears(TONES), udp.hears(TONES)]), [UDP_HZ, TLS_HZ]);
    udp.command('hangup');
    await tls.event('CALL_CLOSED');
    await callUp(udp, tls, '1001');
    udp.command('hangup');
    await tls.event('CALL_CLOSED');
    const records = await callRecords(server, 2);
    assert.deepEqual(records.map(({ result, callerNumber }) => `${result} ${callerNumber}`).sort(), [
      'ANSWERED 1001',
      'ANSWERED 1002',
    ]);
  });
});
