import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { computeResponse, ha1 } from '../../../src/sip/digest.js';
import { formatCredentials, parseChallenges } from '../../../src/sip/digest-headers.js';
import { connectApp, disconnectApps, type Srf } from '../../support/b2bua-app.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, statusOf } from '../../support/sip-text.js';
import { SDP, TextPeer } from '../../support/text-peer.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

const CREDENTIALS = { username: 'u', password: 'p' };

describe('challenges, failures and notices, with drachtio-srf', () => {
  let engine: WireEngine;
  let srf: Srf;
  let peer: TextPeer;
  before(async () => {
    engine = await startWireEngine({ timers: FAST_TIMERS });
  });
  after(() => engine.close());
  beforeEach(async () => {
    srf = await connectApp(engine.target);
    peer = await TextPeer.open(engine.udpPort);
  });
  afterEach(async () => {
    disconnectApps();
    await TextPeer.closeAll();
  });

  /** Answers a request with a challenge and takes the one with credentials. */
  const challenge = async (request: string, status: 401 | 407, algorithm = 'MD5'): Promise<string> => {
    const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
    peer.respond(request, status, {
      headers: [`${name}: Digest realm="r", nonce="n1", algorithm=${algorithm}, qop="auth"`],
    });
    for (;;) {
      const again = await peer.until(new RegExp(`^${request.split(' ')[0]} `));
      // Else a repetition of the one without.
      if (headerOf(again, 'CSeq') !== headerOf(request, 'CSeq')) return again;
    }
  };
  /** Whether the credentials are those of the password. */
  const isRight = (request: string, status: 401 | 407, algorithm: 'MD5' | 'SHA-256' = 'MD5'): boolean => {
    const value = headerOf(request, status === 401 ? 'Authorization' : 'Proxy-Authorization')!;
    const given = (name: string): string => new RegExp(`\\b${name}="?([^",]*)`).exec(value)?.[1] ?? '';
    const secret = ha1('u', 'r', 'p', algorithm);
    const method = request.split(' ')[0]!;
    const parts = {
      nonce: 'n1',
      nc: given('nc'),
      cnonce: given('cnonce'),
      qop: 'auth',
      uri: given('uri'),
    } as const;
    return computeResponse({ ha1: secret, method, algorithm, ...parts }) === given('response');
  };
  const seqOf = (request: string): number => Number.parseInt(headerOf(request, 'CSeq')!, 10);
  const answeredCall = async (): Promise<{ invite: string; ok: string; dialog: Srf }> => {
    const answered = new Promise<Srf>((resolve, reject) => {
      srf.invite((req: Srf, res: Srf) => srf.createUAS(req, res, { localSdp: SDP }).then(resolve, reject));
    });
    await srf.request('sip:127.0.0.1:9', { method: 'OPTIONS' });
    const invite = peer.request({ headers: ['Content-Type: application/sdp'], body: SDP });
    const ok = await peer.until(/ 200 /);
    return { invite, ok, dialog: await answered };
  };

  for (const status of [401, 407] as const) {
    test(`51: RFC 3261 §22.2, §22.3: ${status} to an INVITE is met by the digest client`, async () => {
      const call = srf.createUAC(peer.uri, { localSdp: SDP, auth: CREDENTIALS });
      const first = await peer.next();
      const second = await challenge(first, status);
      assert.ok(isRight(second, status));
      assert.equal(headerOf(second, 'Call-ID'), headerOf(first, 'Call-ID'));
      assert.equal(headerOf(second, 'From'), headerOf(first, 'From'));
      assert.equal(seqOf(second), seqOf(first) + 1);
      peer.respond(second, 200, { body: SDP });
      const dialog = await call;
      const ack = await peer.until(/^ACK/);
      assert.equal(seqOf(ack), seqOf(second));
      const info = dialog.request({ method: 'INFO' });
      const request = await peer.until(/^INFO/);
      assert.ok(seqOf(request) > seqOf(second));
      peer.respond(request, 200);
      await info;
    });

    test(`51: ${status} to a request outside a dialog and to one inside`, async () => {
      const sent = srf.request(peer.uri, {
        method: 'MESSAGE',
        body: 'x',
        headers: { 'Content-Type': 'text/plain' },
        auth: CREDENTIALS,
      });
      const first = await peer.next();
      const second = await challenge(first, status);
      assert.ok(isRight(second, status));
      peer.respond(second, 200);
      await sent;
      const call = srf.createUAC(peer.uri, { localSdp: SDP, auth: CREDENTIALS });
      peer.respond(await peer.until(/^INVITE/), 200, { body: SDP });
      const dialog = await call;
      await peer.until(/^ACK/);
      const gone = dialog.destroy({ auth: CREDENTIALS });
      const bye = await peer.until(/^BYE/);
      const again = await challenge(bye, status);
      assert.ok(isRight(again, status));
      assert.equal(seqOf(again), seqOf(bye) + 1);
      peer.respond(again, 200);
      await gone;
    });
  }

  test('51: RFC 8760: a SHA-256 challenge reaches the application, and its answer the peer', async () => {
    const send = async (headers: Record<string, string>): Promise<Srf> =>
      srf.request(peer.uri, { method: 'OPTIONS', headers });
    const sent = send({});
    const first = await peer.next();
    const req = await sent;
    const challenged = new Promise<Srf>((resolve) => req.on('response', resolve));
    peer.respond(first, 401, {
      headers: [
        'WWW-Authenticate: Digest realm="r", nonce="n1", algorithm=SHA-256, qop="auth"',
        'WWW-Authenticate: Digest realm="r", nonce="n1", algorithm=MD5, qop="auth"',
      ],
    });
    const response = await challenged;
    const [sha256] = parseChallenges(response.get('WWW-Authenticate').split(/,\s*(?=Digest)/));
    assert.equal(sha256!.algorithm, 'SHA-256');
    const parts = { nonce: sha256!.nonce, nc: '00000001', cnonce: 'c', qop: 'auth', uri: peer.uri } as const;
    const algorithm = 'SHA-256';
    const digest = computeResponse({
      ha1: ha1('u', 'r', 'p', algorithm),
      method: 'OPTIONS',
      algorithm,
      ...parts,
    });
    const authorization = formatCredentials({
      username: 'u',
      realm: 'r',
      opaque: undefined,
      algorithm,
      response: digest,
      ...parts,
    });
    const again = send({
      Authorization: authorization,
      'Call-ID': req.get('Call-ID'),
      From: req.get('From'),
      CSeq: `${seqOf(first) + 1} OPTIONS`,
    });
    const second = await peer.next();
    assert.ok(isRight(second, 401, algorithm));
    assert.equal(seqOf(second), seqOf(first) + 1);
    peer.respond(second, 200);
    await again;
  });

  test('51: a challenge that cannot be met is the failure of the call', async () => {
    const call = srf.createUAC(peer.uri, { localSdp: SDP });
    peer.respond(await peer.next(), 407, { headers: ['Proxy-Authenticate: Digest realm="r", nonce="n"'] });
    await assert.rejects(call, { status: 407 });
  });

  test('42, 44, 60: what cannot be sent is told as an error, and the connection stays', async () => {
    const own = `sip:127.0.0.1:${engine.udpPort}`;
    await assert.rejects(srf.request(own, { method: 'OPTIONS' }), /can not send request to myself/);
    await assert.rejects(srf.request('sip:127.0.0.1:9;transport=tls', { method: 'OPTIONS' }), /transport/);
    const { invite, ok, dialog } = await answeredCall();
    peer.inDialog(invite, ok, 'ACK', 1);
    peer.inDialog(invite, ok, 'BYE', 2);
    await peer.until(/ 200 /);
    await assert.rejects(dialog.request({ method: 'INFO' }), { code: 'ENODIALOG' });
    const refused = srf.createUAC('sip:127.0.0.1:9', { localSdp: SDP });
    await assert.rejects(refused, { status: 503 });
  });

  test('27, 28: a response too many is told by its callback', async () => {
    const told = new Promise<unknown>((resolve) => {
      srf.options((_req: Srf, res: Srf) => {
        res.send(200);
        setImmediate(() => srf.endSession(res));
      });
      srf.invite((req: Srf, res: Srf) => {
        req.on('cancel', () => res.send(487, (error: unknown) => resolve(error)));
      });
    });
    await srf.request('sip:127.0.0.1:9', { method: 'OPTIONS' });
    const invite = peer.request();
    await new Promise((resolve) => setTimeout(resolve, 50));
    peer.send(invite.replace(/^INVITE/, 'CANCEL').replace('1 INVITE', '1 CANCEL'));
    assert.match(String(await told), /Response not sent due to unknown transaction/);
    assert.deepEqual([statusOf(await peer.next()), statusOf(await peer.next())].sort(), [200, 487]);
  });

  test('25: an unsolicited notice: the 200 was never acknowledged', { skip: oursOnly }, async () => {
    const { dialog } = await answeredCall();
    const ended = new Promise<{ req: Srf; reason: string }>((resolve) =>
      dialog.on('destroy', (req: Srf, reason: string) => resolve({ req, reason })),
    );
    const bye = await peer.until(/^BYE/);
    assert.match(headerOf(bye, 'Reason')!, /text="ACK timeout"/);
    const { req, reason } = await ended;
    assert.deepEqual([reason, req.source, req.method], ['ACK timeout', 'application', 'BYE']);
  });

  test('50: an unsolicited notice: the 200 crossed the CANCEL', async () => {
    let request: Srf;
    const call = srf.createUAC(
      peer.uri,
      { localSdp: SDP },
      {
        cbRequest: (_error: unknown, req: Srf) => {
          request = req;
        },
      },
    );
    const invite = await peer.next();
    peer.respond(invite, 180);
    await new Promise((resolve) => setTimeout(resolve, 50));
    request.cancel();
    const cancel = await peer.until(/^CANCEL/);
    peer.respond(invite, 200, { body: SDP });
    peer.respond(cancel, 200);
    const dialog = await call;
    const ended = new Promise<string>((resolve) =>
      dialog.on('destroy', (_req: Srf, reason: string) => resolve(reason)),
    );
    await peer.until(/^ACK/);
    await peer.until(/^BYE/);
    assert.equal(await ended, 'ACK-BYE due to cancel race condition');
  });
});
