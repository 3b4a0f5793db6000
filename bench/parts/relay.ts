import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { median } from '../harness/cpu.js';
import { stopProcess } from '../harness/measured-process.js';
import type { Bench, Plan } from '../harness/plan.js';
import type { FromPhones, ToPhones } from '../rtp/phones.js';
import { type BenchRelay, startOurRelay, startRtpengine } from '../rtp/relays.js';

const PHONES_JS = fileURLToPath(new URL('../rtp/phones.js', import.meta.url));
/** Code is compiled and sources are latched before anything is counted. */
const WARM_UP_SEC = 2;
const REPLY_TIMEOUT_MS = 10_000;

interface RelayFigures {
  readonly usPerPacket: number;
  readonly lost: number;
  readonly p99Ms: number;
}

/** The built-in relay beside rtpengine in user space: two-way G.711 calls through each, one after the other. */
export async function benchRelay({ dir, plan, report, nodeArgs }: Bench): Promise<void> {
  mkdirSync(dir, { recursive: true });
  const part = `relay: ${plan.relayCalls} two-way calls of G.711, 20 ms a packet`;
  const rtpengine = await startRtpengine(dir);
  if (!rtpengine) report.note('rtpengine is not installed: no reference for the relay');
  const theirs = rtpengine && (await measureRelay(rtpengine, plan));
  const ours = await measureRelay(await startOurRelay(dir, nodeArgs), plan);
  const beside = (value: number | undefined) =>
    value === undefined || rtpengine === undefined ? {} : { reference: { name: rtpengine.name, value } };
  const cpu = { part, what: 'CPU of a packet', value: ours.usPerPacket, unit: 'µs' };
  report.add({ ...cpu, ...beside(theirs?.usPerPacket) });
  report.add({ part, what: 'packets lost', value: ours.lost, unit: '' });
  if (theirs) report.add({ part, what: `packets lost, ${rtpengine?.name}`, value: theirs.lost, unit: '' });
  report.add({
    part,
    what: 'delay p99, load tool included',
    value: ours.p99Ms,
    unit: 'ms',
    ...beside(theirs?.p99Ms),
  });
}

async function measureRelay(relay: BenchRelay, plan: Plan): Promise<RelayFigures> {
  const phones = fork(PHONES_JS);
  const ask = async <T extends FromPhones['type']>(message: ToPhones): Promise<FromPhones & { type: T }> => {
    phones.send(message);
    const signal = AbortSignal.timeout((plan.relaySec + WARM_UP_SEC) * 1000 + REPLY_TIMEOUT_MS);
    const [reply] = (await once(phones, 'message', { signal })) as [FromPhones & { type: T }];
    return reply;
  };
  try {
    const { ports } = await ask<'ports'>({ type: 'open', calls: plan.relayCalls });
    const targets: number[] = [];
    for (let i = 0; i < ports.length; i += 2) {
      const { forA, forB } = await relay.connect(`bench-${i}`, ports[i]!, ports[i + 1]!);
      targets.push(forA, forB);
    }
    await ask<'heard'>({ type: 'talk', targets, seconds: WARM_UP_SEC });
    const rounds: RelayFigures[] = [];
    for (let i = 0; i < plan.rounds; i++) {
      const before = relay.cpuMs();
      const { sent, received, p99Ms } = await ask<'heard'>({ type: 'talk', targets, seconds: plan.relaySec });
      rounds.push({
        usPerPacket: (1000 * (relay.cpuMs() - before)) / received,
        lost: sent - received,
        p99Ms,
      });
    }
    return {
      usPerPacket: median(rounds.map((round) => round.usPerPacket)),
      lost: rounds.reduce((sum, { lost }) => sum + lost, 0),
      p99Ms: median(rounds.map((round) => round.p99Ms)),
    };
  } finally {
    await stopProcess(phones);
    await relay.stop();
  }
}
