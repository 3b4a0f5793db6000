import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, test } from 'node:test';
import { connectApp, disconnectApps, type Srf } from '../../support/b2bua-app.js';
import { Certificates } from '../../support/certificates.js';
import { startEngineCommand } from '../../support/part-process.js';
import { MAIN_JS } from '../../support/server.js';
import { headerOf, statusOf } from '../../support/sip-text.js';
import { SDP, TextPeer } from '../../support/text-peer.js';
import { oursOnly } from '../../support/wire-engine.js';

const LISTEN = ['--sip-listen', 'udp:127.0.0.1:0', '--admin', '127.0.0.1:0', '--secret', 's3cret'];

describe('ims engine', { skip: oursOnly, timeout: 60_000 }, () => {
  let stop: (() => Promise<unknown>) | undefined;
  let certificates: Certificates | undefined;
  afterEach(async () => {
    disconnectApps();
    await TextPeer.closeAll();
    await stop?.();
    stop = undefined;
    certificates?.close();
  });

  const start = async (...args: string[]): Promise<string> => {
    const { child, output } = await startEngineCommand([...LISTEN, ...args]);
    stop = () => {
      child.kill('SIGTERM');
      return once(child, 'exit');
    };
    return output();
  };

  test('its flags do what they say, and the banner tells of them without the secret', async () => {
    certificates = new Certificates();
    const pair = certificates.selfSigned('DNS:localhost');
    const banner = await start(
      ...[
        '--admin-tls',
        '127.0.0.1:0',
        '--admin-tls-cert',
        pair.certificateFile,
        '--admin-tls-key',
        pair.keyFile,
      ],
      ...[
        '--always-send-180',
        '--spam-user-agent',
        'scanner',
        'sipcli',
        '--user-agent-options-auto-respond',
        'lb',
      ],
      ...[
        '--http-handler',
        'MESSAGE=http://u:hidden@127.0.0.1:9/route?key=hidden',
        '--external-ip',
        '203.0.113.9',
      ],
    );
    assert.doesNotMatch(banner, /s3cret|hidden/);
    assert.match(banner, /New requests: MESSAGE http:\/\/127\.0\.0\.1:9\/route\n/);
    assert.match(banner, /On: .*203\.0\.113\.9.*180 to every INVITE.*spam filter \(2\)/);
    const tlsPort = Number(/TLS 127\.0\.0\.1:(\d+)/.exec(banner)![1]);
    const tls = { ca: pair.certificate, servername: 'localhost' };
    const srf: Srf = await connectApp({ port: tlsPort, secret: 's3cret', tls });
    srf.invite((_req: Srf, res: Srf) => res.send(486));
    srf.options((_req: Srf, res: Srf) => res.send(486));
    const peer = await TextPeer.open(Number(/udp:127\.0\.0\.1:(\d+)/.exec(banner)![1]));
    const options = async (agent: string): Promise<number | undefined> => {
      peer.request({ method: 'OPTIONS', headers: [`User-Agent: ${agent}`] });
      return statusOf(await peer.next());
    };
    while ((await options('phone')) !== 486);
    assert.deepEqual([await options('lb'), await options('SIPCLI/1')], [200, 603]);
    peer.request({ method: 'MESSAGE' });
    assert.equal(statusOf(await peer.next()), 500);
    const invite = peer.request({ body: SDP, headers: ['Content-Type: application/sdp'] });
    assert.equal(statusOf(await peer.next()), 180);
    peer.acknowledge(invite, await peer.until(/ 486 /));
  });

  test('--external-ip is what peers outside the local networks are told', async () => {
    const banner = await start(
      '--external-ip',
      '203.0.113.9',
      '--local-network-cidr',
      '10.0.0.0/8',
      '--always-send-180',
    );
    const peer = await TextPeer.open(Number(/udp:127\.0\.0\.1:(\d+)/.exec(banner)![1]));
    peer.request();
    assert.match(headerOf(await peer.next(), 'Contact')!, /^<sip:203\.0\.113\.9:\d+>$/);
  });

  test('--help names every flag; what cannot be used is one line, and exit 2', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [MAIN_JS, 'engine', ...args], { encoding: 'utf8', timeout: 20_000 });
    const { stdout, status } = run('--help');
    assert.equal(status, 0);
    for (const flag of ['--admin-tls', '--http-handler', '--always-send-180', '--block', '--sip-listen'])
      assert.match(stdout, new RegExp(`^ +${flag}`, 'm'));
    for (const [args, line] of [
      [['--admin', 'nowhere'], /--admin/],
      [['--admin-tls', 'x:y'], /--admin-tls/],
      [['--tcp-keepalive-interval', 'often'], /seconds/],
      [['--http-method', 'PUT'], /GET, POST/],
      [['--http-handler', 'ftp://h'], /request handler ftp:\/\/h/],
      [['--block', 'example.com'], /example\.com/],
      [
        ['--admin', '127.0.0.1:0', '--admin-tls', '127.0.0.1:0', '--admin-tls-cert', '/nowhere.pem'],
        /nowhere\.pem/,
      ],
    ] as const) {
      const { stderr, status: code } = run('--sip-listen', 'udp:127.0.0.1:0', ...args);
      assert.match(stderr, line, args.join(' '));
      assert.notEqual(code, 0, args.join(' '));
      assert.doesNotMatch(stderr, /\n\s+at /, args.join(' '));
    }
  });
});
