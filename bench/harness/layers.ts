import { readFileSync } from 'node:fs';

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Over before the first call. */
const START = 'start of the process';

/** First that fits, by `function url`; what fits none belongs to whoever called it. */
const LAYERS: readonly (readonly [layer: string, pattern: RegExp])[] = [
  ['garbage collection', /^\(garbage collector\)/],
  ['event loop and system calls that receive', /^\((?:program|root)\)/],
  [START, /^(?:\S* )?(?:node:internal\/(?:modules|bootstrap|main|process\/esm)|.*node_modules)/],
  ['send, UDP', /^(?:send|doSend|sendmsg|\S+) ?(?:node:dgram)$/],
  ['receive, UDP', /^onMessage node:dgram/],
  [
    'send, TCP to applications',
    /node:internal\/streams\/writable|^(?:writeLatin1String|writeBuffer|writeGeneric|handleWriteReq)/,
  ],
  ['receive, TCP from applications', /node:internal\/(?:streams\/readable|stream_base_commons)/],
  ['timers', /queued-clock|node:internal\/timers|node:timers/],
  ['parse and write SIP text', /\/src\/sip\//],
  ['transport', /\/src\/engine\/(?:transport|resolve|capture)\//],
  ['transaction', /\/src\/engine\/transaction\//],
  ['core and dialogs', /\/src\/engine\/(?:core|dialog|proxy|[a-z-]+\.js)/],
  ['frames to and from applications', /\/src\/engine\/drachtio\//],
];

/** What takes no CPU: nothing to do, and the rest of a paced engine (src/engine/turn-end.ts). */
export const IDLE: ReadonlySet<string> = new Set(['(idle)', 'sleepThread', 'wait']);

/** Share of each layer in the busy time of a profile (0..1) but for the start, the largest first. */
export function shareOfLayers(file: string): [layer: string, share: number][] {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const selfUs = new Map<number, number>();
  profile.samples.forEach((id, i) => {
    selfUs.set(id, (selfUs.get(id) ?? 0) + Math.max(0, profile.timeDeltas[i] ?? 0));
  });
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const layers = new Map<string, number>();
  let busyUs = 0;
  const walk = (node: ProfileNode, above: string): void => {
    const layer = layerOf(node.callFrame) ?? above;
    const isCounted = !IDLE.has(node.callFrame.functionName) && layer !== START;
    const us = !isCounted ? 0 : (selfUs.get(node.id) ?? 0);
    busyUs += us;
    if (us > 0) layers.set(layer, (layers.get(layer) ?? 0) + us);
    for (const child of node.children ?? []) walk(byId.get(child)!, layer);
  };
  walk(profile.nodes[0]!, 'other');
  return [...layers].map(([layer, us]): [string, number] => [layer, us / busyUs]).sort((a, b) => b[1] - a[1]);
}

function layerOf({ functionName, url }: CallFrame): string | undefined {
  const text = `${functionName} ${url}`;
  return LAYERS.find(([, pattern]) => pattern.test(text))?.[0];
}
