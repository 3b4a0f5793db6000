// Holds the rooms under src/ to the order drawn in docs/architecture.md: imports run one way and never in a circle.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');

/** What each room may import beside itself and platform. */
const MAY_IMPORT = {
  platform: [],
  config: [],
  sip: [],
  sdp: [],
  store: [],
  trace: [],
  alarms: ['store'],
  engine: ['sip'],
  signalling: ['sip'],
  media: ['sdp', 'store'],
  audio: ['sdp', 'media'],
  announcements: ['audio', 'store'],
  cdr: ['store', 'media'],
  accounts: ['store', 'sip'],
  security: ['accounts', 'sip', 'signalling', 'store'],
  routing: [],
  numbering: ['routing', 'store'],
  registrar: ['accounts', 'security', 'store', 'sip', 'signalling'],
  call: [
    'accounts',
    'announcements',
    'audio',
    'cdr',
    'media',
    'registrar',
    'numbering',
    'routing',
    'sdp',
    'security',
    'signalling',
    'sip',
    'store',
    'trace',
  ],
  messaging: [
    'accounts',
    'call',
    'cdr',
    'numbering',
    'registrar',
    'routing',
    'security',
    'signalling',
    'sip',
    'store',
  ],
  events: ['accounts', 'call', 'registrar', 'routing', 'security', 'signalling', 'sip'],
  trunks: ['accounts', 'alarms', 'call', 'routing', 'sdp', 'security', 'signalling', 'sip', 'store'],
  conference: ['accounts', 'audio', 'call', 'media', 'numbering', 'routing', 'store'],
  dialler: ['accounts', 'audio', 'call', 'cdr', 'store'],
  tasks: ['alarms', 'store'],
  testkit: ['sip', 'sdp', 'media'],
  mml: [
    'accounts',
    'alarms',
    'announcements',
    'audio',
    'call',
    'cdr',
    'conference',
    'config',
    'dialler',
    'events',
    'media',
    'messaging',
    'numbering',
    'registrar',
    'routing',
    'security',
    'store',
    'tasks',
    'trace',
    'trunks',
  ],
};
/** The composition root and the command line may import every room; no room imports them. */
const TOP = ['app', 'main', 'cli'];

/** All .ts files below `dir`. */
function sources(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? sources(join(dir, entry.name))
      : entry.name.endsWith('.ts')
        ? [join(dir, entry.name)]
        : [],
  );
}

const roomOf = (path) => path.split('/')[0].replace(/\.ts$/, '');
const graph = new Map();
const faults = [];

for (const file of sources(root)) {
  const from = relative(root, file);
  const imports = [];
  for (const match of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)\s(?:[^'"]*?from\s+)?['"](\.[^'"]+)['"]|\bimport\('(\.[^']+)'\)/gm,
  )) {
    const to = normalize(join(dirname(from), match[1] ?? match[2])).replace(/\.js$/, '.ts');
    const isTypeOnly = /^(?:import|export)\s+type\s/.test(match[0]);
    if (!isTypeOnly) imports.push(to);
    const [a, b] = [roomOf(from), roomOf(to)];
    if (a === b || TOP.includes(a)) continue;
    if (!MAY_IMPORT[a]) faults.push(`${from}: room '${a}' is not in scripts/check-imports.mjs`);
    else if (b !== 'platform' && !MAY_IMPORT[a].includes(b))
      faults.push(`${from} imports ${to}: '${a}' may not know '${b}'`);
  }
  graph.set(from, imports);
}

const done = new Set();
/** Depth-first walk; a file met again on the way down closes a circle. Type-only imports do not count: they vanish. */
function walk(file, path) {
  const at = path.indexOf(file);
  if (at >= 0) {
    faults.push(`circle: ${[...path.slice(at), file].join(' -> ')}`);
    return;
  }
  if (done.has(file)) return;
  for (const next of graph.get(file) ?? []) walk(next, [...path, file]);
  done.add(file);
}
for (const file of graph.keys()) walk(file, []);

if (faults.length > 0) {
  process.stderr.write(
    `${faults.join('\n')}\n${faults.length} import faults; the order of rooms is in docs/architecture.md\n`,
  );
  process.exit(1);
}
process.stdout.write(`imports: ${graph.size} files, one way, no circles\n`);
