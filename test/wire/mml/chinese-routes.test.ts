import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';
import { waitFor } from '../../support/wait-for.js';

/** What is asked of TST ROUTE, and its steps. */
const ROUTES: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'a plain call',
    'FROM=1001, TO=1002, IP=192.0.2.7',
    [
      '位于 192.0.2.7 的主叫须出示密码',
      '主叫 1001 可以呼叫',
      '号码 1002 是用户 1002',
      '1 部已注册话机中的 1 部同时振铃 60 秒',
    ],
  ],
  ['a caller who is nobody', 'FROM=1999, TO=1002', ['没有用户 1999：主叫无法通过鉴权']],
  [
    'forwarding',
    'FROM=1001, TO=1003',
    [
      '主叫 1001 可以呼叫',
      '号码 1003 是用户 1003',
      '1003 前转到 1002（unconditional）',
      '号码 1002 是用户 1002',
      '1 部已注册话机中的 1 部同时振铃 60 秒',
    ],
  ],
  [
    'do not disturb',
    'FROM=1001, TO=1004',
    ['主叫 1001 可以呼叫', '号码 1004 是用户 1004', '1004 已设免打扰'],
  ],
  [
    'a hunt group with members that are skipped',
    'FROM=1001, TO=800',
    [
      '主叫 1001 可以呼叫',
      '800 是寻线组 Sales，LINEAR，4 个成员',
      '成员 1001 正是主叫：跳过',
      '成员 1004 已设免打扰：跳过',
      '成员 1005 没有已注册的话机：跳过',
      '依次振铃，每次 15 秒：1002',
      '无人接听时转到 1005',
    ],
  ],
  [
    'a conference room',
    'FROM=1001, TO=conf_team',
    ['主叫 1001 可以呼叫', '号码 conf_team 是会议室（前缀 conf_）', '会议室内有 0 个成员，最多 20 个'],
  ],
  [
    'a class that is barred',
    'FROM=1001, TO=0033123',
    [
      '主叫 1001 可以呼叫',
      "没有号码为 0033123 的用户、寻线组或短号；由路由 world 承接（前缀 '00'，INTERNATIONAL）",
      '1001 可以呼叫 NATIONAL，不得呼叫 INTERNATIONAL',
    ],
  ],
  [
    'trunks that are down',
    'FROM=1001, TO=030123',
    [
      '主叫 1001 可以呼叫',
      "没有号码为 030123 的用户、寻线组或短号；由路由 out 承接（前缀 '0'，NATIONAL）",
      '1001 可以呼叫 NATIONAL 类号码',
      '中继 dead 故障（无应答）：跳过',
      '中继 off 已停用：跳过',
      '中继 carrier 没有地址：跳过',
      '路由 out 没有中继可以承接呼叫',
    ],
  ],
  [
    'a call that a trunk would bring',
    'FROM=+49401234, TO=+49301002, IP=192.0.2.9',
    [
      '192.0.2.9 是中继 carrier',
      'carrier：被叫 +49301002 变换为 1002（规则 1）',
      '主叫 carrier:+49401234 可以呼叫',
      '号码 1002 是用户 1002',
      '1 部已注册话机中的 1 部同时振铃 60 秒',
    ],
  ],
];

describe('TST ROUTE in Chinese', { timeout: 60_000 }, () => {
  let rig: CallRig;
  let server: TestConsole;
  let client: WireClient;
  before(async () => {
    rig = await startCallRig();
    await rig.phone('1001');
    await rig.phone('1002');
    for (const username of ['1003', '1004', '1005']) await rig.phone(username, { register: false });
    await rig.users.modify('1003', { features: { forwardAlways: '1002' } });
    await rig.phone('1004');
    await rig.users.modify('1004', { features: { doNotDisturb: true } });
    const members = ['1001', '1004', '1005', '1002'];
    await rig.numbering.addGroup('800', {
      name: 'Sales',
      members,
      strategy: 'LINEAR',
      memberSec: 15,
      overflow: '1005',
    });
    await addTrunks();
    server = await startTestConsole({
      ...mmlTestServices(),
      routes: rig.control.routes,
      trunks: rig.trunks,
    });
    client = await WireClient.open(server.port);
    await client.login();
  });
  after(async () => {
    client?.close();
    await server?.close();
    await rig?.close();
  });

  /** One that nobody answers at, one that is switched off, one that calls in only. */
  async function addTrunks(): Promise<void> {
    const silent = await rig.peer('dead');
    await rig.trunks.add('dead', { address: `127.0.0.1:${silent.port}`, optionsSec: 1, downAfter: 1 });
    await rig.trunks.add('off', { address: '192.0.2.8', status: 'INACTIVE' });
    await rig.trunks.add('carrier', { sources: ['192.0.2.9'], optionsSec: 0 });
    await rig.trunks.addRule('carrier', {
      direction: 'IN',
      of: 'CALLED',
      kind: 'PREFIX',
      match: '+4930',
      replace: '',
    });
    const trunks = ['dead', 'off', 'carrier'].map((trunk, i) => ({ trunk, priority: i + 1, weight: 1 }));
    await rig.trunks.addRoute('out', { prefix: '0', trunks });
    await rig.trunks.addRoute('world', { prefix: '00', callClass: 'INTERNATIONAL', trunks });
    const isDown = () => rig.trunks.states().some(({ name, health }) => name === 'dead' && health === 'down');
    await waitFor('the trunk to be down', isDown, 20_000);
  }

  const numbered = (steps: readonly string[]): string[] =>
    steps.map((said, i) => `${String(i + 1).padStart(2)}. ${said}`);
  const stepsOf = (report: string): string[] => report.split('\r\n').filter((line) => /^ ?\d+\. /.test(line));

  for (const [what, asked, steps] of ROUTES)
    test(what, async () => {
      await client.run('SET SESSION: LANG=ZH, FORMAT=TEXT');
      assert.deepEqual(stepsOf(await client.run(`TST ROUTE: ${asked}`)), numbered(steps));
    });

  test('a room has its words in the report of what would be rung', async () => {
    await client.run('SET SESSION: LANG=ZH, FORMAT=TEXT');
    assert.match(await client.run('TST ROUTE: FROM=1001, TO=conf_team'), /会议室 conf_team +会议\r\n/);
    await client.run('SET SESSION: LANG=EN');
    assert.match(await client.run('TST ROUTE: FROM=1001, TO=conf_team'), /room conf_team +conference\r\n/);
  });

  test('the last answer of a trunk is told in Chinese', async () => {
    await client.run('SET SESSION: LANG=ZH, FORMAT=TEXT');
    assert.match(await client.run('DSP TRUNK'), /dead +ACTIVE +故障 +无应答/);
  });

  test('JSON has the English whatever the language', async () => {
    client.send('SET SESSION: LANG=ZH, FORMAT=JSON\n');
    const object = async (asked: string) => {
      client.send(`TST ROUTE: ${asked}\n`);
      const said = await client.until(/\{.*"command":"TST ROUTE.*\r\n/);
      return JSON.parse(said.slice(said.lastIndexOf('{"serial"')));
    };
    const [, { title, lines }] = (await object('FROM=1001, TO=1004')).reports;
    assert.deepEqual(
      [title, ...lines],
      [
        '步骤',
        ' 1. caller 1001 may call',
        ' 2. number 1004 is subscriber 1004',
        ' 3. 1004 is not to be disturbed',
      ],
    );
    const [, , { rows }] = (await object('FROM=1001, TO=conf_team')).reports;
    assert.deepEqual([rows[0].contact, rows[0].address], ['room conf_team', 'conference']);
  });
});
