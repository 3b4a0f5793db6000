import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { type Engine, startEngine } from '../../../src/engine/engine.js';
import { connectApp, disconnectApps, type Srf } from '../../support/b2bua-app.js';
import { Certificates } from '../../support/certificates.js';
import type { Inbox } from '../../support/inbox.js';
import { missing } from '../../support/peers.js';
import { RawTcp } from '../../support/raw-sockets.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, requestText, responseText, statusOf } from '../../support/sip-text.js';
import { SDP } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly } from '../../support/wire-engine.js';
import { WsPeer } from '../../support/ws-peer.js';

interface Phone {
  readonly inbox: Inbox<string>;
  send(text: string): void;
  close(): Promise<void>;
}

const KINDS = ['tcp', 'tls', 'ws', 'wss'] as const;
type Kind = (typeof KINDS)[number];

describe('calls to phones go down the connection that they registered over', {
  skip: oursOnly || missing('openssl'),
}, () => {
  const files = new Certificates();
  let engine: Engine;
  let srf: Srf;
  const open: Phone[] = [];

  before(async () => {
    engine = await startEngine({
      sipListen: KINDS.map((protocol) => ({ protocol, address: '127.0.0.1', port: 0 })),
      admin: { port: 0, secret: 'cymru' },
      timers: FAST_TIMERS,
      tls: files.selfSigned('DNS:localhost'),
    });
    srf = await connectApp({ port: engine.adminPort, secret: 'cymru' });
    srf.register((_req: Srf, res: Srf) => res.send(200));
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((phone) => phone.close()));
  });
  after(async () => {
    disconnectApps();
    await engine.close();
    files.close();
  });

  const portOf = (kind: Kind): number => engine.listeners.find(({ protocol }) => protocol === kind)!.port;

  async function connectPhone(kind: Kind): Promise<Phone> {
    const port = portOf(kind);
    const phone =
      kind === 'tcp'
        ? await RawTcp.connect(port)
        : kind === 'tls'
          ? await RawTcp.connectTls(port)
          : await WsPeer.connect(`${kind}://127.0.0.1:${port}/`);
    open.push(phone);
    return phone;
  }

  /** Registers until the application is there to answer; resolves with the Contact. */
  async function register(phone: Phone, kind: Kind, user: string): Promise<string> {
    const contact = `sip:${user}@df7jal23ls0d.invalid;transport=${kind === 'wss' ? 'ws' : kind}`;
    const text = (): string =>
      requestText({
        method: 'REGISTER',
        via: `SIP/2.0/${kind.toUpperCase()} df7jal23ls0d.invalid`,
        headers: [`Contact: <${contact}>`, 'Expires: 600'],
      });
    let status: number | undefined = 503;
    while (status === 503) {
      phone.send(text());
      status = statusOf(await phone.inbox.next());
    }
    assert.equal(status, 200);
    return contact;
  }

  async function nextRequest(phone: Phone, method: string): Promise<string> {
    for (;;) {
      const text = await phone.inbox.next();
      if (text.startsWith(`${method} `)) return text;
    }
  }

  for (const kind of KINDS)
    test(`78, 57: RFC 5626 §5.3: a call to a phone behind ${kind}, its ACK, re-INVITE and BYE too`, async () => {
      const phone = await connectPhone(kind);
      const contact = await register(phone, kind, `bob-${kind}`);
      const calling = srf.createUAC(contact, { localSdp: SDP });
      const invite = await nextRequest(phone, 'INVITE');
      const param = kind === 'wss' ? 'ws' : kind;
      assert.equal(
        headerOf(invite, 'Contact'),
        `<sip:127.0.0.1:${portOf(kind)};transport=${param}>`,
        'RFC 7118 §5.2.2: ws in URIs for both',
      );
      assert.ok(headerOf(invite, 'Via')?.startsWith(`SIP/2.0/${kind.toUpperCase()} 127.0.0.1:`));
      const answer = [`Contact: <${contact}>`, 'Content-Type: application/sdp'];
      phone.send(
        responseText(invite, 200, { headers: answer }).replace(
          'Content-Length: 0\r\n\r\n',
          `Content-Length: ${SDP.length}\r\n\r\n${SDP}`,
        ),
      );
      const dialog = await calling;
      await nextRequest(phone, 'ACK');
      const asked = dialog.request({ method: 'INFO' });
      phone.send(responseText(await nextRequest(phone, 'INFO'), 200));
      assert.equal((await asked).status, 200);
      const ended = dialog.destroy();
      const bye = await nextRequest(phone, 'BYE');
      assert.ok(bye.startsWith(`BYE ${contact} SIP/2.0`));
      phone.send(responseText(bye, 200));
      await ended;
    });

  for (const kind of ['tls', 'wss'] as const)
    test(`RFC 5626 §5.3.1: once the connection is gone, ${kind}, 430 comes at once`, async () => {
      const phone = await connectPhone(kind);
      const contact = await register(phone, kind, `gone-${kind}`);
      const count = (): number => engine.stats().transport.connectionsOpened;
      const opened = count();
      await phone.close();
      const status = async (): Promise<number> =>
        srf.createUAC(contact, { localSdp: SDP }).then(
          () => 200,
          (error: { status: number }) => error.status,
        );
      await waitFor('the end of the flow', async () => (await status()) === 430);
      assert.equal(count(), opened);
    });

  /** A call that a phone has answered; its dialog at the application. */
  async function callUp(phone: Phone, contact: string): Promise<Srf> {
    const calling = srf.createUAC(contact, { localSdp: SDP });
    const answer = [`Contact: <${contact}>`, 'Content-Type: application/sdp'];
    phone.send(
      responseText(await nextRequest(phone, 'INVITE'), 200, { headers: answer }).replace(
        'Content-Length: 0\r\n\r\n',
        `Content-Length: ${SDP.length}\r\n\r\n${SDP}`,
      ),
    );
    const dialog = await calling;
    await nextRequest(phone, 'ACK');
    return dialog;
  }

  test('RFC 5626 §4.5: a phone that comes back by a new connection is in its calls again', async () => {
    const first = await connectPhone('wss');
    const dialog = await callUp(first, await register(first, 'wss', 'roaming'));
    await first.close();
    const second = await connectPhone('ws');
    const contact = await register(second, 'ws', 'roaming');
    const ended = dialog.destroy();
    const bye = await nextRequest(second, 'BYE');
    assert.ok(bye.startsWith(`BYE ${contact} SIP/2.0`));
    second.send(responseText(bye, 200));
    await ended;
  });

  test('RFC 5626 §5.3: the address and port of a flow that is gone are no way to another phone', async () => {
    // An address of its own: nobody else takes the port meanwhile.
    const localAddress = '127.0.0.77';
    const reach = async (localPort?: number): Promise<RawTcp> => {
      const ends = { host: '127.0.0.1', port: portOf('tcp'), localAddress };
      const socket = connect({ ...ends, ...(localPort !== undefined && { localPort }) });
      await once(socket, 'connect');
      const phone = new RawTcp(socket);
      open.push(phone);
      return phone;
    };
    const phone = await reach();
    const contact = await register(phone, 'tcp', 'first');
    const localPort = phone.socket.localPort!;
    // Without the wait of TCP for late segments its port is free for the next one behind the NAT.
    phone.socket.resetAndDestroy();
    await phone.closed;
    const other = await reach(localPort);
    await register(other, 'tcp', 'second');
    const route = `sip:${localAddress}:${localPort};transport=tcp`;
    await assert.rejects(srf.createUAC(contact, { localSdp: SDP, proxy: route }), { status: 430 });
    assert.equal(other.inbox.size, 0);
  });

  test('RFC 5626 §5.3: a next hop that is where the phone registered from is its connection', async () => {
    const phone = (await connectPhone('tls')) as RawTcp;
    const contact = await register(phone, 'tls', 'routed');
    const proxy = `sip:127.0.0.1:${phone.localPort};transport=tls`;
    const sent = new Promise<Srf>((resolve, reject) =>
      srf.request(contact, { method: 'MESSAGE', proxy }, (error: unknown, request: Srf) =>
        error ? reject(error) : request.on('response', resolve),
      ),
    );
    phone.send(responseText(await nextRequest(phone, 'MESSAGE'), 200));
    assert.equal((await sent).status, 200);
  });
});
