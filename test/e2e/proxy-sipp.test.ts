import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { type Engine, startEngine } from '../../src/engine/engine.js';
import { connectApp, disconnectApps, type Srf } from '../support/b2bua-app.js';
import { freeTcpPort, freeUdpPort } from '../support/free-port.js';
import { missing } from '../support/peers.js';
import { runSipp, startCallee } from '../support/sipp.js';
import { waitFor } from '../support/wait-for.js';

/** Two proxies, each an engine with a drachtio-srf application that stays in its calls, between sipp and sipp. */
describe('sipp through proxies', { skip: missing('sipp') }, () => {
  const engines: Engine[] = [];
  let callee: { stop(): Promise<void> } | undefined;
  afterEach(async () => {
    disconnectApps();
    await callee?.stop();
    callee = undefined;
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
  });

  /** An engine whose application proxies every INVITE to `next`; `told` collects what it hears of calls. */
  const startProxy = async (next: string, told: string[] = []): Promise<Engine> => {
    const engine = await startEngine({
      sipListen: [
        { protocol: 'udp', address: '127.0.0.1', port: 0 },
        { protocol: 'tcp', address: '127.0.0.1', port: 0 },
      ],
      admin: { port: 0, secret: 'cymru' },
    });
    engines.push(engine);
    const srf = await connectApp({ port: engine.adminPort, secret: 'cymru' });
    srf.on('cdr:start', (_source: string, _time: string, role: string) => told.push(role));
    srf.on('cdr:stop', (source: string, _time: string, reason: string) => told.push(`${source} ${reason}`));
    srf.invite((req: Srf) => void srf.proxyRequest(req, [next], { remainInDialog: true }));
    await new Promise((resolve) =>
      srf.request(`sip:127.0.0.1:${engine.listeners[0]!.port}`, { method: 'OPTIONS' }, resolve),
    );
    return engine;
  };
  const portOf = (engine: Engine, protocol: 'udp' | 'tcp'): number =>
    engine.listeners.find((listener) => listener.protocol === protocol)!.port;

  for (const transport of ['udp', 'tcp'] as const)
    test(`50 calls over ${transport}, whose later requests pass both proxies both ways`, async () => {
      const calleePort = await (transport === 'udp' ? freeUdpPort() : freeTcpPort());
      callee = startCallee('uas-record-routed-call', calleePort, transport);
      const told: string[] = [];
      const suffix = transport === 'udp' ? '' : ';transport=tcp';
      const far = await startProxy(`sip:127.0.0.1:${calleePort}${suffix}`);
      const near = await startProxy(`sip:127.0.0.1:${portOf(far, 'udp')}`, told);
      const { code, output } = await runSipp({
        scenario: 'uac-record-routed-call-expect-200',
        port: portOf(near, transport),
        transport,
        calls: 50,
        rate: 25,
      });
      assert.equal(code, 0, output.slice(-3000));
      await waitFor('the last call event', () => told.length >= 200);
      const count = (what: string): number => told.filter((item) => item === what).length;
      assert.deepEqual(
        ['proxy-uac', 'proxy-uas', 'network normal-release', 'application normal-release'].map(count),
        [50, 50, 50, 50],
      );
      assert.equal(near.stats().dialogs, 0);
    });
});
