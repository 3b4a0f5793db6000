// What people who come from the old server rely on and find again (docs/old-server.md).
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import { runIms } from '../support/server.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const OLD_COLUMNS =
  'record_id,record_type,call_state,date,start_time,invite_time,ringing_time,answer_time,bye_time,end_time,' +
  'duration,setup_time,call_id,caller_uri,caller_number,caller_ip,caller_port,user_agent,callee_uri,callee_number,' +
  'callee_ip,callee_port,contact,status_code,status_text,termination_reason,call_type,codec,expires,message_body,' +
  'server_ip,server_port,cseq,extra_info';

describe('users.json and call records', () => {
  let calls: CallServer;
  const directory = mkdtempSync(join(tmpdir(), 'ims-old-'));
  before(async () => {
    calls = await startCallServer();
  });
  after(async () => {
    await calls?.close();
    rmSync(directory, { recursive: true });
  });

  test('users.json is imported while the server runs; phones go on with their old passwords, short ones too', async () => {
    const file = join(directory, 'users.json');
    const old = {
      username: '5001',
      password: '1234',
      display_name: 'Li Si',
      phone: '+8613800138000',
      email: 'li@example.com',
      status: 'ACTIVE',
      service_type: 'PREMIUM',
      role: 'user',
    };
    writeFileSync(file, JSON.stringify([old, { ...old, username: '5002', status: 'SUSPENDED' }]));
    const { code, stdout } = await calls.server.ims('user', 'import', file);
    assert.equal(code, 0);
    assert.match(stdout, /^2 added/);
    const phone = await calls.phone('5001', { password: '1234' });
    assert.ok(phone.port > 0);
    const suspended = await calls.phone('5002', { password: '1234', register: false });
    assert.equal((await suspended.register()).statusCode, 403);
    const report = await calls.server.mml('LST USER: USERNAME=5001');
    for (const kept of ['Li Si', '+8613800138000', 'li@example.com', 'PREMIUM', 'ACTIVE'])
      assert.ok(report.includes(kept), `${kept} in ${report}`);
  });

  test('records are exported with the 34 columns of old, in their order', async () => {
    const [a, b] = [await calls.phone('1001'), await calls.phone('1002')];
    const call = await connect(a, b);
    await hangUp(a, b, call);
    await calls.recordsOf(call.invite.callId);
    const { stdout } = await calls.server.ims('cdr', 'export', '--layout', 'classic', '--type', 'call');
    const [header, ...lines] = stdout.trimEnd().split('\r\n');
    assert.equal(header, OLD_COLUMNS);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /,CALL,ENDED,/);
    assert.match(lines[0]!, /,1001,127\.0\.0\.1,/);
    const full = await calls.server.ims('cdr', 'export');
    assert.match(full.stdout, /^id,/);
    assert.equal((await calls.server.ims('cdr', 'export', '--layout', 'nonsense')).code, 2);
  });
});

describe('settings', () => {
  /** Every setting's value with those environment variables and no others of ours. */
  async function settings(env: Record<string, string>): Promise<Record<string, string>> {
    const directory = mkdtempSync(join(tmpdir(), 'ims-old-'));
    const { PATH = '' } = process.env;
    const { code, stdout, stderr } = await runIms({ PATH, DATA_DIR: directory, ...env }, [
      'config',
      '--json',
    ]);
    rmSync(directory, { recursive: true });
    assert.equal(code, 0, stderr);
    const views = JSON.parse(stdout) as { name: string; value: string }[];
    return Object.fromEntries(views.map(({ name, value }) => [name, value]));
  }

  test('the ports are those of old', async () => {
    const { SIP_LISTEN, RTP_PORTS } = await settings({});
    assert.match(SIP_LISTEN ?? '', /udp:0\.0\.0\.0:5060,tcp:0\.0\.0\.0:5060/);
    assert.equal(RTP_PORTS, '20000-29999');
  });

  test('the old variables are understood', async () => {
    const old = { SERVER_IP: 'AUTO_DETECT', ENABLE_TCP: 'false', RTPPROXY_UDP_HOST: '10.0.0.5' };
    const { SERVER_IP, SIP_LISTEN, MEDIA_RELAY } = await settings(old);
    assert.doesNotMatch(SERVER_IP ?? '', /AUTO/);
    assert.equal(SIP_LISTEN, 'udp:0.0.0.0:5060');
    assert.equal(MEDIA_RELAY, 'rtpproxy+udp://10.0.0.5:7722');
    const tcp = await settings({ RTPPROXY_TCP_HOST: '10.0.0.6', RTPPROXY_TCP_PORT: '7723' });
    assert.equal(tcp['MEDIA_RELAY'], 'rtpproxy+tcp://10.0.0.6:7723');
    assert.equal((await settings({ RTPPROXY_AUTO_START: 'true' }))['RTPPROXY_AUTO_START'], 'true');
  });

  test('pm2 knows the server as ims-server: one process, forked, with time to drain', async () => {
    const path = join(ROOT, 'ecosystem.config.cjs');
    const { apps } = createRequire(path)(path) as { apps: Record<string, unknown>[] };
    assert.equal(apps.length, 1);
    const [app] = apps;
    assert.deepEqual([app?.['name'], app?.['exec_mode'], app?.['instances']], ['ims-server', 'fork', 1]);
    const drainSec = Number((await settings({}))['DRAIN_SEC']);
    assert.ok(Number(app?.['kill_timeout']) > drainSec * 1000);
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: object };
    assert.equal('pm2' in manifest.dependencies, false);
  });
});
