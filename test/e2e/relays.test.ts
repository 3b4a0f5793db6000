import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp, type UpCall } from '../support/call-steps.js';
import { type PartProcess, startRelayProcess } from '../support/part-process.js';
import type { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

interface RelayRow {
  readonly name: string;
  readonly status: string;
  readonly weight: number;
  readonly calls?: number;
  readonly alive?: boolean;
  readonly isSetting?: boolean;
}

async function rows<R>(calls: CallServer, command: string): Promise<R[]> {
  const { retcode, reports } = JSON.parse(await calls.mml(command, 'JSON')) as {
    retcode: number;
    reports: { rows: R[] }[];
  };
  assert.equal(retcode, 0, command);
  return reports[0]?.rows ?? [];
}

async function refused(calls: CallServer, command: string, retcode: number, sentence: RegExp): Promise<void> {
  const answer = JSON.parse(await calls.mml(command, 'JSON')) as { retcode: number; text?: string };
  assert.equal(answer.retcode, retcode, JSON.stringify(answer));
  assert.match(JSON.stringify(answer), sentence);
}

describe('media relays managed while the server runs', () => {
  let calls: CallServer;
  let relays: PartProcess[];
  let [a, b]: SipPeer[] = [];
  before(async () => {
    relays = await Promise.all([startRelayProcess(), startRelayProcess()]);
    calls = await startCallServer({ MEDIA_RELAY: relays[0]!.url });
    [a, b] = [await calls.phone('1001'), await calls.phone('1002')];
  });
  after(async () => {
    await calls?.close();
    await Promise.all((relays ?? []).map((relay) => relay.close()));
  });

  /** How many calls are on each relay while `count` calls are up; ends them. */
  async function spread(count: number): Promise<Record<string, number>> {
    const up: UpCall[] = [];
    for (let i = 0; i < count; i++) up.push(await connect(a!, b!));
    const states = await rows<RelayRow>(calls, 'DSP RELAY');
    for (const call of up) await hangUp(a!, b!, call);
    return Object.fromEntries(states.map((state) => [state.name, state.calls ?? -1]));
  }

  test('a relay is added, gets its share of new calls, and none when its weight is 0', async () => {
    const first = relays[0]!.url;
    assert.deepEqual(await spread(2), { [first]: 2 });
    await calls.mmlOk(`ADD RELAY: NAME=rtp2, URL="${relays[1]!.url}", WEIGHT=2`);
    assert.deepEqual(
      (await rows<RelayRow>(calls, 'LST RELAY')).map(({ name, weight, isSetting }) => [
        name,
        weight,
        isSetting,
      ]),
      [
        [first, 1, true],
        ['rtp2', 2, false],
      ],
    );
    assert.deepEqual(await spread(6), { [first]: 2, rtp2: 4 });
    await calls.mmlOk('MOD RELAY: NAME=rtp2, WEIGHT=0');
    assert.deepEqual(await spread(3), { [first]: 3, rtp2: 0 });
  });

  test('a reserve takes the calls when no other relay does', async () => {
    const first = relays[0]!.url;
    await relays[0]!.kill('SIGKILL');
    const call = await connect(a!, b!);
    const states = await rows<RelayRow>(calls, 'DSP RELAY');
    assert.deepEqual(
      states.map(({ name, alive, calls: on }) => [name, alive, on]),
      [
        [first, false, 0],
        ['rtp2', true, 1],
      ],
    );
    await hangUp(a!, b!, call);
    relays[0] = await startRelayProcess(first.replace('rtpproxy+', '').replace('//', ''));
  });

  test('out of service it keeps its calls and gets no new ones; it is removed when it has none', async () => {
    await calls.mmlOk('MOD RELAY: NAME=rtp2, WEIGHT=1');
    await calls.mmlOk(`DEA RELAY: NAME="${relays[0]!.url}"`);
    const stays = await connect(a!, b!);
    await calls.mmlOk('DEA RELAY: NAME=rtp2');
    await calls.mmlOk(`ACT RELAY: NAME="${relays[0]!.url}"`);
    const other = await connect(a!, b!);
    assert.deepEqual(
      (await rows<RelayRow>(calls, 'DSP RELAY')).map(({ status, calls: on }) => [status, on]),
      [
        ['ACTIVE', 1],
        ['DRAINED', 1],
      ],
    );
    const media = await rows<{ call: string; relay: string; kind: string }>(calls, 'DSP MEDIA');
    assert.deepEqual(media.map(({ relay, kind }) => [relay, kind]).sort(), [
      ['rtp2', 'audio'],
      [relays[0]!.url, 'audio'],
    ]);
    const one = await rows<{ call: string }>(calls, `DSP MEDIA: CALLID=${media[0]!.call}`);
    assert.deepEqual(
      one.map(({ call }) => call),
      [media[0]!.call],
    );
    await refused(calls, 'RMV RELAY: NAME=rtp2', 3007, /1 calls are on rtp2: DEA RELAY first/);
    await hangUp(a!, b!, stays);
    await hangUp(a!, b!, other);
    // The phones know of the end before the relay does.
    await waitFor('no call on it', async () =>
      (await rows<RelayRow>(calls, 'DSP RELAY')).every(({ calls: on }) => on === 0),
    );
    await calls.mmlOk('RMV RELAY: NAME=rtp2');
    assert.equal((await rows(calls, 'LST RELAY')).length, 1);
  });

  test('what was added and changed is there after a restart', async () => {
    await calls.mmlOk(`ADD RELAY: NAME=rtp2, URL="${relays[1]!.url}"`);
    await calls.mmlOk(`DEA RELAY: NAME="${relays[0]!.url}"`);
    await calls.restart();
    assert.deepEqual(
      (await rows<RelayRow>(calls, 'LST RELAY')).map(({ name, status }) => [name, status]),
      [
        [relays[0]!.url, 'DRAINED'],
        ['rtp2', 'ACTIVE'],
      ],
    );
  });

  test('what cannot be is refused with a reason', async () => {
    await refused(calls, 'ADD RELAY: NAME=rtp3, URL="http://x"', 2010, /is not rtpproxy\+udp/);
    await refused(calls, `ADD RELAY: NAME=rtp2, URL="${relays[1]!.url}"`, 4002, /rtp2/);
    await refused(calls, 'ADD RELAY: NAME=3, URL="rtpproxy+udp://127.0.0.1:1"', 2010, /a name is a letter/);
    await refused(calls, 'MOD RELAY: NAME=rtp9, WEIGHT=1', 4001, /rtp9/);
    await refused(calls, `RMV RELAY: NAME="${relays[0]!.url}"`, 3007, /MEDIA_RELAY names/);
    await refused(calls, 'DSP MEDIA: CALLID=nothing', 4001, /nothing/);
  });
});

test('the built-in relay stands alone: no other is added, and calls go to it', async (t) => {
  const calls = await startCallServer({ MEDIA_RELAY: 'embedded' });
  t.after(() => calls.close());
  const alone = /the built-in relay stands alone: name relays in MEDIA_RELAY first/;
  await refused(calls, 'ADD RELAY: NAME=rtp2, URL="rtpproxy+udp://127.0.0.1:1"', 3007, alone);
  assert.deepEqual(
    (await rows<RelayRow>(calls, 'LST RELAY')).map(({ name, status }) => [name, status]),
    [['embedded', 'ACTIVE']],
  );
  const [a, b] = [await calls.phone('1001'), await calls.phone('1002')];
  const call = await connect(a, b);
  assert.deepEqual(
    (await rows<RelayRow>(calls, 'DSP RELAY')).map(({ name, alive, calls: on }) => [name, alive, on]),
    [['embedded', true, 1]],
  );
  await hangUp(a, b, call);
});
