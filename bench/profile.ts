// Where the time of a profile went: node .build/bench/profile.js <file.cpuprofile> [lines]
import { readFileSync } from 'node:fs';
import { IDLE } from './harness/layers.js';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const [file = '', lines = '45'] = process.argv.slice(2);
const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile;
const selfUs = new Map<number, number>();
profile.samples.forEach((id, i) => {
  selfUs.set(id, (selfUs.get(id) ?? 0) + (profile.timeDeltas[i] ?? 0));
});

const byId = new Map(profile.nodes.map((node) => [node.id, node]));
const name = (id: number): string => {
  const { functionName, url, lineNumber } = byId.get(id)!.callFrame;
  const place = url.replace(/^.*\/(node_modules|\.build)\//, '').replace(/^file:\/\//, '');
  return `${functionName || '(anonymous)'} ${place}${place ? `:${lineNumber + 1}` : ''}`;
};

const self = new Map<string, number>();
const inclusive = new Map<string, number>();
const rooms = new Map<string, number>();
/** Adds a subtree; a function that calls itself counts once. */
function walk(id: number, open: ReadonlySet<string>): number {
  const label = name(id);
  const inner = new Set(open).add(label);
  let total = IDLE.has(byId.get(id)!.callFrame.functionName) ? 0 : (selfUs.get(id) ?? 0);
  self.set(label, (self.get(label) ?? 0) + total);
  const room = byId
    .get(id)!
    .callFrame.url.replace(/^.*\/(node_modules\/[^/]+|\.build\/src\/[^/]+(?:\/[^/]+)?)\/.*$/, '$1');
  if (!/^\((idle|program|root)\)/.test(label))
    rooms.set(room || '(native)', (rooms.get(room || '(native)') ?? 0) + total);
  for (const child of byId.get(id)!.children ?? []) total += walk(child, inner);
  if (!open.has(label)) inclusive.set(label, (inclusive.get(label) ?? 0) + total);
  return total;
}
walk(profile.nodes[0]!.id, new Set());
const busyUs = [...self].reduce((sum, [label, us]) => sum + (/^\((idle|program)\)/.test(label) ? 0 : us), 0);

function print(title: string, table: ReadonlyMap<string, number>): void {
  console.log(`\n${title} (of ${(busyUs / 1000).toFixed(0)} ms busy)`);
  const rows = [...table].filter(([label]) => !/^\((idle|root)\)/.test(label)).sort((a, b) => b[1] - a[1]);
  for (const [label, us] of rows.slice(0, Number(lines)))
    console.log(`${((100 * us) / busyUs).toFixed(1).padStart(6)} %  ${label}`);
}
print('by room, own time', rooms);
print('own time', self);
print('with what it calls', inclusive);
