import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { freePorts } from '../../support/free-ports.js';

interface Range {
  readonly min: number;
  readonly max: number;
}

const MODULE = new URL('../../support/free-ports.js', import.meta.url).href;
/** Says which ports it was given, and keeps them until its input ends. */
const PROCESS = `
  import { freePorts } from '${MODULE}';
  process.stdout.write(JSON.stringify(await Promise.all([300, 60, 10].map(freePorts))));
  process.stdin.resume();`;

/** The ports that a process of its own was given; the caller ends it. */
async function inProcess(): Promise<{ ranges: Range[]; end(): Promise<unknown> }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROCESS], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const end = (): Promise<unknown> => {
    child.stdin.end();
    return exited;
  };
  return { ranges: JSON.parse(String(text)), end };
}

const overlap = (a: Range, b: Range): boolean => a.min <= b.max && b.min <= a.max;

/** Asserts that no port is in two of the ranges. */
function assertApart(ranges: readonly Range[]): void {
  for (const [at, a] of ranges.entries())
    for (const b of ranges.slice(at + 1)) assert.ok(!overlap(a, b), JSON.stringify([a, b]));
}

describe('ports that a test process is given', () => {
  it('are those of no other process, though none is bound yet', async () => {
    const processes = await Promise.all([inProcess(), inProcess(), inProcess()]);
    try {
      assertApart([...processes.flatMap(({ ranges }) => ranges), await freePorts(60)]);
    } finally {
      await Promise.all(processes.map(({ end }) => end()));
    }
  });

  it('are others each time, neighbours from an even one on, below those that relays of servers take', async () => {
    const ranges = await Promise.all([1, 7, 10, 60].map(freePorts));
    assertApart(ranges);
    assert.deepEqual(
      ranges.map(({ min, max }) => [min % 2, max - min]),
      [
        [0, 0],
        [0, 6],
        [0, 9],
        [0, 59],
      ],
    );
    for (const { max } of ranges) assert.ok(max < 20_000);
  });

  it('are free: those that a socket has are passed over', async () => {
    const { min } = await freePorts(2);
    const socket = createSocket('udp4').bind(min + 5, '127.0.0.1');
    await once(socket, 'listening');
    try {
      const next = await freePorts(100);
      assert.ok(!overlap(next, { min: min + 5, max: min + 5 }));
    } finally {
      socket.close();
    }
  });

  it('cannot be more than a process has', async () => {
    await assert.rejects(freePorts(800), /no 800 neighbouring ports/);
  });
});
