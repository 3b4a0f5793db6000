import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { Way } from '../../../src/engine/core/way.js';
import { WayFinder } from '../../../src/engine/core/way-finder.js';
import { OutboundConnections } from '../../../src/engine/drachtio/outbound-connections.js';
import { HttpHandler } from '../../../src/engine/routing/http-handler.js';
import type { ServerTransaction, Source } from '../../../src/engine/types.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { SipRequest } from '../../../src/sip/message.js';
import { waitFor } from '../../support/wait-for.js';

const SOURCE: Source = {
  protocol: 'udp',
  address: '192.0.2.1',
  port: 5060,
  localAddress: '127.0.0.1',
  localPort: 5060,
};
const request = new SipRequest('OPTIONS', 'sip:a@example.com');

describe('how much may be on its way to who decides', () => {
  test('requests that wait for their way: those beyond the bound go to nobody; one that is found makes room', async () => {
    const found: ((way: Way) => void)[] = [];
    const router = { route: () => new Promise<Way>((resolve) => found.push(resolve)) };
    const finder = new WayFinder({ router, log: silentLogger }, 2);
    const ways: (string | undefined)[] = [undefined, undefined, undefined, undefined];
    const find = (number: number): void =>
      finder.find({ request, source: SOURCE, id: String(number) } as ServerTransaction, 't', (way) => {
        ways[number] = way.kind;
      });
    for (const number of [0, 1, 2]) find(number);
    assert.deepEqual(ways, [undefined, undefined, 'nobody', undefined]);
    found[0]!({ kind: 'nobody' });
    await waitFor('room', () => finder.size === 1);
    find(3);
    assert.equal(finder.size, 2);
    finder.close();
  });

  test('a request that is over when its way is found: the application reached for it is let go', async () => {
    let dropped = 0;
    const way = { kind: 'application', app: {}, drop: () => dropped++ } as unknown as Way;
    const finder = new WayFinder({ router: { route: () => Promise.resolve(way) }, log: silentLogger });
    const tx = { request, source: SOURCE, id: '1' } as ServerTransaction;
    finder.find(tx, 't', () => assert.fail('the request was over'));
    finder.forget(tx);
    await waitFor('the drop', () => dropped === 1);
  });

  test('connections to applications: none beyond the bound, nor after the close', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const outbound = new OutboundConnections(
      {
        clock: systemClock,
        verifyApplications: false,
        adopt: (socket) => socket as never,
      },
      2,
    );
    const address = { host: '127.0.0.1', port, secure: false };
    const first = outbound.dial(address);
    const second = outbound.dial(address);
    await assert.rejects(outbound.dial(address), { code: 'ENGINE_OUTBOUND' });
    await waitFor('both', () => outbound.openCount === 2 && sockets.length === 2);
    await assert.rejects(outbound.dial(address), { code: 'ENGINE_OUTBOUND' });
    for (const dialled of [first, second]) dialled.catch(() => undefined);
    for (const socket of sockets) socket.destroy();
    outbound.close();
    server.close();
    await assert.rejects(outbound.dial(address), { code: 'CLOSED' });
  });

  test('questions to a handler: those beyond the bound get no answer', async () => {
    const server = createHttpServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}`);
    const shared = { clock: systemClock, log: silentLogger, verifyPeer: true, httpMethod: 'GET' } as const;
    const handler = new HttpHandler({ ...shared, url, maxQuestions: 2 });
    const open = [handler.ask(request, SOURCE), handler.ask(request, SOURCE)];
    assert.equal(await handler.ask(request, SOURCE), undefined);
    await handler.close();
    assert.deepEqual(await Promise.all(open), [undefined, undefined]);
    server.closeAllConnections();
    server.close();
  });
});
