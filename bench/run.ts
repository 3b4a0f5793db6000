// npm run bench -- [--quick] [--csv file] [--drachtio 'command {sip} {admin} {secret}'] [--prof dir] [--rate n] [server|engine|relay]…
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { missing } from '../test/support/peers.js';
import { type Bench, FULL, QUICK } from './harness/plan.js';
import { environment, Report } from './harness/report.js';
import { benchEngine } from './parts/engine.js';
import { benchRelay } from './parts/relay.js';
import { benchServer } from './parts/server.js';

const PARTS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  server: benchServer,
  engine: benchEngine,
  relay: benchRelay,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    csv: { type: 'string' },
    drachtio: { type: 'string' },
    prof: { type: 'string' },
    rate: { type: 'string' },
  },
});
const wanted = positionals.length > 0 ? positionals : Object.keys(PARTS);
const unknown = wanted.find((name) => !(name in PARTS));
if (unknown !== undefined || missing('sipp') !== false) {
  console.error(unknown === undefined ? 'sipp (Debian package sip-tester) is needed' : `no part ${unknown}`);
  process.exit(2);
}

const report = new Report();
const dir = mkdtempSync(join(tmpdir(), 'ims-bench-'));
const rate = values.rate === undefined ? undefined : Number(values.rate);
const profiles = values.prof === undefined ? undefined : resolve(values.prof);
console.log(`${environment()}\nThe load tools run on the same machine and are not counted.\n`);
try {
  for (const name of wanted) {
    const own = join(dir, name);
    mkdirSync(join(own, 'server'), { recursive: true });
    await PARTS[name]?.({
      plan: { ...(values.quick ? QUICK : FULL), ...(rate && { rate, engineRates: [rate] }) },
      report,
      dir: own,
      drachtio: values.drachtio ?? process.env['DRACHTIO_COMMAND'],
      nodeArgs: profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`],
    });
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
if (values.csv !== undefined) report.writeCsv(values.csv);
