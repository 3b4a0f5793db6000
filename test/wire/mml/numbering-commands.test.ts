import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';

/** Commands in this order, and what their reports hold. */
const SCRIPT: readonly (readonly [string, RegExp])[] = [
  ['ADD USER: USERNAME=1001, PASSWORD=secret-one, DND=YES, MAXCALLS=2', /Do not disturb += {2}YES/],
  ['LST USER', /doNotDisturb=true maxCalls=2/],
  ['MOD USER: USERNAME=1001, DND=NO, MAXCALLS=0, FWDBUSY=1002', /Busy to += {2}1002/],
  ['MOD USER: USERNAME=1001, RINGSEC=2', /RETCODE = 2010 .*ringSec must be a whole number 3 to 300/],
  ['MOD USER: USERNAME=1001, RINGSEC=301', /RETCODE = 2004/],
  ['MOD USER: USERNAME=1001, FWDALL=1001', /RETCODE = 2010 .*another number than the own/],
  ['MOD USER: USERNAME=1001, FWDALL="a b"', /RETCODE = 2003/],
  ['MOD USER: USERNAME=1001', /RETCODE = 2007 .*FWDALL/],
  ['ADD GROUP: NUMBER=800, MEMBERS=1001&1002, STRATEGY=round_robin', /Strategy += {2}ROUND_ROBIN/],
  ['ADD GROUP: NUMBER=800, MEMBERS=1001', /RETCODE = 4002 .*Number 800 exists/],
  ['ADD GROUP: NUMBER=1001, MEMBERS=1002', /RETCODE = 4002 .*User 1001 exists/],
  ['ADD GROUP: NUMBER=801, MEMBERS=1001&1001', /RETCODE = 2010 .*twice/],
  ['MOD GROUP: NUMBER=800, NAME="Li & Co", OVERFLOW=1009', /Overflow += {2}1009/],
  ['MOD GROUP: NUMBER=802, NAME=x', /RETCODE = 4001 .*No such number: 802/],
  ['LST GROUP: NUMBER=800', /1001 +YES +0 +0 +NO\r\n *1002 +NO/],
  ['LST GROUP: NUMBER=802', /RETCODE = 4001/],
  ['ADD NUMBER: NUMBER=9, TO=800', /Leads to += {2}800/],
  ['ADD TIMERULE: NUMBER=9, DAYS=SAT-SUN&WED, HOURS=18:00-08:00, ZONE=Europe/Berlin, TO=1002', /RETCODE = 0/],
  ['LST NUMBER', /1\) WED&SAT&SUN 18:00-08:00 Europe\/Berlin to 1002/],
  ['ADD TIMERULE: NUMBER=9, DAYS=MON, ZONE=Mars/Olympus, TO=1002', /RETCODE = 2010 .*no time zone/],
  ['ADD TIMERULE: NUMBER=9, DAYS=MOON, TO=1002', /RETCODE = 2003/],
  ['ADD TIMERULE: NUMBER=9, DAYS=MON, HOURS=08:00-25:00, TO=1002', /RETCODE = 2004/],
  ['RMV TIMERULE: NUMBER=9, RULE=2', /RETCODE = 4001/],
  ['RMV TIMERULE: NUMBER=9, RULE=1', /Time rules += {2}-/],
  ['RMV NUMBER: NUMBER=9', /RETCODE = 0/],
  ['MOD CODE: ACTION=DND_ON, CODE="*99"', /DND_ON +\*99/],
  ['MOD CODE: ACTION=DND_OFF, CODE="*99"', /RETCODE = 2010 .*is the code of DND_ON already/],
  ['MOD CODE: ACTION=PICKUP, CODE=""', /RETCODE = 0/],
  ['LST CODE', /FWDALL_ON +\*21\*N#[\s\S]*DND_ON +\*99[\s\S]*PICKUP +-/],
  ['TST ROUTE: FROM=1001, TO=1002', /Outcome += {2}rings[\s\S]*1\. caller 1001 may call/],
  ['TST ROUTE: FROM=1001', /RETCODE = 2002/],
  ['RMV GROUP: NUMBER=800', /RETCODE = 0/],
];

describe('console commands on features, groups, numbers and codes', { timeout: 60_000 }, () => {
  let server: TestConsole;
  let client: WireClient;
  before(async () => {
    server = await startTestConsole(mmlTestServices());
    client = await WireClient.open(server.port);
    await client.login();
  });
  after(async () => {
    client.close();
    await server.close();
  });

  for (const [command, expected] of SCRIPT)
    it(command, async () => {
      assert.match(await client.run(command), expected);
    });
});
