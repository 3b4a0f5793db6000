import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp, type UpCall } from '../support/call-steps.js';
import { Certificates } from '../support/certificates.js';
import { missing } from '../support/peers.js';
import type { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

const otherEngine =
  (process.env['SIP_ENGINE'] ?? 'embedded') === 'embedded' ? false : 'listeners of the built-in engine';

describe('phones over TLS and WebSocket on a whole server', { skip: otherEngine }, () => {
  let calls: CallServer;
  let udp: SipPeer;
  before(async () => {
    const listen = ['udp', 'tls', 'ws', 'wss'].map((protocol) => `${protocol}:127.0.0.1:0`);
    calls = await startCallServer({ SIP_LISTEN: listen.join(',') });
    udp = await calls.phone('1002');
  });
  after(() => calls.close());

  async function expectGoodRecord({ invite }: UpCall, caller: string, callee: string): Promise<void> {
    const [record] = await calls.recordsOf(invite.callId);
    assert.ok(record);
    const { callerNumber, calleeNumber, result, sipStatus, releaseReason } = record;
    assert.deepEqual(
      [callerNumber, calleeNumber, result, sipStatus, releaseReason],
      [caller, callee, 'ANSWERED', 200, 'normal-clearing'],
    );
  }

  for (const transport of ['tls', 'ws', 'wss'] as const)
    test(`a phone on ${transport} calls a phone on UDP and is called by it, one good record each`, async () => {
      const phone = await calls.phone('1001', { transport });
      const port = calls.server.sipPort(transport);
      const out = await connect(phone, udp);
      const param = transport === 'wss' ? 'ws' : transport;
      assert.equal(out.ok.get('contact'), `<sip:127.0.0.1:${port};transport=${param}>`);
      assert.equal(out.atB.topVia?.protocol, 'UDP');
      assert.doesNotMatch(out.atB.get('contact') ?? '', /transport=/);
      // The callee's re-INVITE comes down the caller's connection (RFC 5626 §5.3).
      const hold = udp.inDialog(out.b, 'INVITE', { sdp: udp.sdp('sendonly', 2) });
      const atPhone = await phone.next('INVITE');
      assert.equal(atPhone.topVia?.protocol, transport.toUpperCase());
      phone.respond(atPhone, 200, { sdp: phone.sdp('recvonly', 2) });
      const held = await udp.response(hold, 200);
      await udp.ackIn(out.b, hold.cseq?.seq ?? 0);
      assert.ok(held.body.length > 0);
      await phone.next('ACK');
      await hangUp(phone, udp, out);
      await expectGoodRecord(out, '1001', '1002');

      const back = await connect(udp, phone);
      assert.equal(back.atB.topVia?.protocol, transport.toUpperCase());
      assert.ok(back.atB.get('contact')?.includes(`:${port};transport=${param}`));
      await hangUp(udp, phone, back);
      await expectGoodRecord(back, '1002', '1001');

      // Gone without a word: the caller need not wait for a time-out (RFC 5626 §5.3.1).
      await phone.close();
      await waitFor('a refusal', async () => {
        const lost = await udp.invite('1001');
        const refusal = await udp.final(lost);
        udp.ackRefusal(lost, refusal);
        return refusal.statusCode === 480;
      });
    });

  test('the first start made a certificate, for this machine and its owner alone', async () => {
    const directory = join(calls.server.dataDir, 'tls');
    const certificate = new X509Certificate(readFileSync(join(directory, 'cert.pem')));
    assert.ok(certificate.checkHost('localhost'));
    assert.ok(certificate.checkIP('127.0.0.1'));
    assert.equal(statSync(join(directory, 'key.pem')).mode & 0o077, 0);
    assert.match(calls.server.output(), /a self-signed certificate was made/);
    await calls.restart();
    const again = new X509Certificate(readFileSync(join(directory, 'cert.pem')));
    assert.equal(again.fingerprint256, certificate.fingerprint256);
  });

  test('SIGHUP has it read its certificate anew', { skip: missing('openssl') }, async () => {
    const files = new Certificates();
    const fresh = files.selfSigned('DNS:fresh.example');
    const directory = join(calls.server.dataDir, 'tls');
    writeFileSync(join(directory, 'key.pem'), readFileSync(fresh.keyFile));
    writeFileSync(join(directory, 'cert.pem'), fresh.certificate);
    files.close();
    process.kill(calls.server.facts.pid, 'SIGHUP');
    await waitFor('the new certificate', async () => (await shownName()) === 'DNS:fresh.example', 1500);
  });

  function shownName(): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const port = calls.server.sipPort('tls');
      const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().subjectaltname);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  }
});
