import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { describeConfig } from '../../../src/config/describe.js';
import { ConfigError } from '../../../src/config/errors.js';
import { loadConfig } from '../../../src/config/load.js';

/** The message of the ConfigError that loading throws. */
function refusal(env: Record<string, string>): string {
  try {
    loadConfig({ env });
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  return assert.fail('was accepted');
}

describe('loadConfig', () => {
  it('shows where an engine and a Store are, and nothing of other secrets, whatever is in them', () => {
    const env = {
      ADMIN_PASSWORD: 'hush:hush',
      ALARM_WEBHOOK: 'https://hush:hush@hooks.example.com/hush?hush=1',
      ALARM_WEBHOOK_KEY: 'hush://hush',
      STORE_URL: 'redis://:hush@redis.example.com:6379/3',
      SIP_ENGINE: 'drachtio://:hush@engine.example.com:9022',
    };
    const views = describeConfig(loadConfig({ env }));
    const shownOf = (name: string) => views.find((view) => view.name === name)?.value;
    assert.doesNotMatch(JSON.stringify(views), /hush/);
    assert.equal(shownOf('ADMIN_PASSWORD'), '***');
    assert.equal(shownOf('ALARM_WEBHOOK'), '***');
    assert.equal(shownOf('STORE_URL'), 'redis://***@redis.example.com:6379/3');
    assert.equal(shownOf('SIP_ENGINE'), 'drachtio://***@engine.example.com:9022');
    assert.match(refusal({ ALARM_WEBHOOK: 'ftp://hush' }), /^ALARM_WEBHOOK: '\*\*\*' is not usable/);
  });

  it('gives every default when nothing is set', () => {
    const { config } = loadConfig({});
    assert.deepEqual(config.SIP_LISTEN, [
      { protocol: 'udp', address: '0.0.0.0', port: 5060 },
      { protocol: 'tcp', address: '0.0.0.0', port: 5060 },
    ]);
    assert.deepEqual(config.RTP_PORTS, { first: 20_000, last: 29_999 });
    assert.equal(config.SERVER_IP, undefined);
    assert.equal(config.SIP_REALM, 'ims');
  });

  it('prefers flag over environment over file over default', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ims-config-'));
    const file = join(dir, 'ims.yaml');
    writeFileSync(file, 'sip_realm: from-file\nMAX_CALLS: 7\nno_answer_sec: 9\n');
    try {
      const { config, origins } = loadConfig({
        flags: { SIP_REALM: 'from-flag' },
        env: { SIP_REALM: 'from-env', MAX_CALLS: '8' },
        file,
      });
      assert.equal(config.SIP_REALM, 'from-flag');
      assert.equal(config.MAX_CALLS, 8);
      assert.equal(config.NO_ANSWER_SEC, 9);
      assert.deepEqual(
        [origins.SIP_REALM, origins.MAX_CALLS, origins.NO_ANSWER_SEC, origins.DATA_DIR],
        ['flag', 'environment', 'file', 'default'],
      );
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('names the key, what was given and what is allowed in one line', () => {
    assert.match(
      refusal({ SIP_LISTEN: 'udp:nowhere:5060' }),
      /^SIP_LISTEN: 'udp:nowhere:5060' .*allowed: a list such as/,
    );
    assert.match(refusal({ RTP_PORTS: '100-200' }), /RTP_PORTS.*1024\.\.65535/);
    assert.match(refusal({ DNS_SERVERS: '192.0.2.53,ns.example' }), /DNS_SERVERS.*192\.0\.2\.53/);
    assert.match(refusal({ SIP_UDP_MAX_BYTES: '70000' }), /SIP_UDP_MAX_BYTES.*0\.\.65535/);
    assert.match(refusal({ SIP_LISTEN: 'sctp:0.0.0.0:5060' }), /SIP_LISTEN.*udp, tcp, tls, ws, wss/);
    assert.match(refusal({ ADVERTISE: '10.0.0.0/8=2001:db8::1' }), /ADVERTISE.*network=address/);
    assert.match(refusal({ ADVERTISE: '10.0.0.0=10.1.2.3' }), /ADVERTISE.*network=address/);
    assert.match(refusal({ SIP_WS_ORIGINS: 'phone.example.com' }), /SIP_WS_ORIGINS.*https:/);
    assert.match(refusal({ SIP_TLS_KEY: 'key.pem' }), /SIP_TLS_KEY.*SIP_TLS_CERT/);
    assert.match(refusal({ SIP_TLS_MIN_VERSION: '1.1' }), /SIP_TLS_MIN_VERSION.*1\.2 | 1\.3/);
    assert.match(refusal({ MAX_CALLS: '-1' }), /MAX_CALLS: '-1'.*1\.\.100000/);
    assert.match(refusal({ SERVER_IP: '300.1.1.1' }), /SERVER_IP/);
    assert.match(refusal({ REG_MIN_SEC: '4000' }), /REG_MIN_SEC.*REG_MAX_SEC/);
  });

  it('never repeats a secret in a refusal or a description', () => {
    assert.doesNotMatch(refusal({ STORE_URL: 'mysql://u:hunter2@h' }), /hunter2/);
    const loaded = loadConfig({
      env: {
        STORE_URL: 'redis://:hunter2@h:6379',
        ADMIN_PASSWORD: 'hunter2',
        SIP_ENGINE: 'drachtio://:hunter2@h:9022',
      },
    });
    assert.doesNotMatch(JSON.stringify(describeConfig(loaded)), /hunter2/);
  });

  it('takes AUTO_DETECT and an empty variable as not set', () => {
    assert.equal(loadConfig({ env: { SERVER_IP: 'AUTO_DETECT' } }).config.SERVER_IP, undefined);
    assert.equal(loadConfig({ env: { SIP_REALM: '' } }).config.SIP_REALM, 'ims');
  });

  it('takes what each network is told, and shows it as it was written', () => {
    const ADVERTISE = '10.0.0.0/8=10.1.2.3,::/0=2001:db8::5';
    const loaded = loadConfig({ env: { ADVERTISE, SIP_LISTEN: 'wss:[::]:8443' } });
    assert.deepEqual(loaded.config.ADVERTISE, [
      { network: '10.0.0.0/8', address: '10.1.2.3' },
      { network: '::/0', address: '2001:db8::5' },
    ]);
    const shown = describeConfig(loaded);
    assert.equal(shown.find(({ name }) => name === 'ADVERTISE')?.value, ADVERTISE);
    assert.deepEqual(loaded.config.SIP_LISTEN, [{ protocol: 'wss', address: '::', port: 8443 }]);
  });

  it('takes DNS servers with and without ports, and none', () => {
    const servers = (given: string): readonly string[] =>
      loadConfig({ env: { DNS_SERVERS: given } }).config.DNS_SERVERS;
    assert.deepEqual(servers('192.0.2.53, 192.0.2.54:5353,[2001:db8::53]:53,2001:db8::54'), [
      '192.0.2.53',
      '192.0.2.54:5353',
      '[2001:db8::53]:53',
      '2001:db8::54',
    ]);
    assert.deepEqual(servers(''), []);
  });

  it('keeps the old names: RTPPROXY_*_HOST and ENABLE_TCP', () => {
    assert.equal(
      loadConfig({ env: { RTPPROXY_UDP_HOST: '10.0.0.9' } }).config.MEDIA_RELAY,
      'rtpproxy+udp://10.0.0.9:7722',
    );
    assert.equal(
      loadConfig({ env: { RTPPROXY_TCP_HOST: 'r', RTPPROXY_TCP_PORT: '9' } }).config.MEDIA_RELAY,
      'rtpproxy+tcp://r:9',
    );
    assert.equal(loadConfig({ env: { ENABLE_TCP: 'false' } }).config.SIP_LISTEN.length, 1);
  });

  it('refuses an unknown key in the file', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ims-config-'));
    writeFileSync(join(dir, 'ims.yaml'), 'SIP_RELAM: x\n');
    try {
      assert.throws(() => loadConfig({ file: join(dir, 'ims.yaml') }), /SIP_RELAM/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
