import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { Certificates, type KeyPair } from '../../support/certificates.js';
import { DnsServer, naptr, srv } from '../../support/dns-server.js';
import { FrameClient } from '../../support/frame-client.js';
import { missing } from '../../support/peers.js';
import { RawTcpServer } from '../../support/raw-sockets.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, responseText, statusOf } from '../../support/sip-text.js';
import { appRequest } from '../../support/text-peer.js';
import { oursOnly, startWireEngine } from '../../support/wire-engine.js';

describe('names of secure targets', { skip: oursOnly || missing('openssl') }, () => {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    await FrameClient.closeAll();
    for (const part of open.splice(0).reverse()) await part.close();
  });

  const serverOf = async (pair: KeyPair, address: string): Promise<RawTcpServer> => {
    const options = { key: readFileSync(pair.keyFile), cert: pair.certificate };
    const server = await RawTcpServer.listenTls(options, address);
    open.push(server);
    return server;
  };

  test('RFC 5922 §7.3: a target proves the name of the URI, not the one that its SRV record gave it', async () => {
    const files = new Certificates();
    open.push(files);
    const authority = files.selfSigned();
    const ours = files.issue(authority, 'IP:127.0.0.1');
    // Whoever can write DNS answers can lead there, and has a good certificate of its own.
    const other = await serverOf(files.issue(authority, 'DNS:h1.other.test'), '127.0.0.2');
    const right = await serverOf(files.issue(authority, 'DNS:secure.test'), '127.0.0.3');
    const dns = await DnsServer.start({
      zone: {
        'secure.test NAPTR': [
          naptr(1, 1, 'SIP+D2U', '_sip._udp.secure.test'),
          naptr(1, 2, 'SIPS+D2T', '_sips._tcp.secure.test'),
        ],
        '_sips._tcp.secure.test SRV': [
          srv(other.port, 'h1.other.test', 1),
          srv(right.port, 'h2.secure.test', 2),
        ],
        'h1.other.test A': ['127.0.0.2'],
        'h2.secure.test A': ['127.0.0.3'],
      },
    });
    open.push(dns);
    const engine = await startWireEngine({
      timers: FAST_TIMERS,
      dnsServers: [dns.name],
      tls: { ...ours, caFile: authority.certificateFile },
      sipListen: [
        { protocol: 'udp', address: '127.0.0.1', port: 0 },
        { protocol: 'tls', address: '127.0.0.1', port: 0 },
      ],
    });
    open.push(engine);
    const client = await FrameClient.start(engine.target);
    client.send('sip||', appRequest('OPTIONS', 'sips:bob@Secure.test'));
    const connection = await right.connections.next();
    const request = await connection.inbox.next();
    assert.match(headerOf(request, 'Via')!, /^SIP\/2\.0\/TLS/);
    connection.send(responseText(request, 200));
    assert.equal(statusOf((await client.events.next()).sip), 200);
    assert.equal(engine.stats().core.failovers, 1);
    // The connection serves the name, which is known to be there.
    client.send('sip||', appRequest('OPTIONS', 'sips:bob@secure.test'));
    connection.send(responseText(await connection.inbox.next(), 200));
    assert.equal(statusOf((await client.events.next()).sip), 200);
    assert.equal(right.accepted, 1);
    // It may have seen a handshake, never a request.
    if (other.connections.size > 0) assert.equal((await other.connections.next()).inbox.size, 0);
  });
});
