import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import type { SipPeer } from '../support/sip-peer.js';
import { waitFor } from '../support/wait-for.js';

const ROUNDS = 5;
/** 64*T1 for an ACK that never comes, and as long for the BYE after it when nothing refuses that (RFC 3261 §17); the rest is for a busy machine. */
const SETTLE_MS = 80_000;
/** Sockets that stay for a minute or for good: one for each UDP phone that was there, the console's, the Store's. */
const SPARE_FILES = 3 * ROUNDS + 12;

type Figures = Readonly<Record<string, number>>;

describe('after calls of every kind nothing is left', { timeout: 160_000 }, () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    calls = await startCallServer({ NO_ANSWER_SEC: '1', CALL_CHECK_SEC: '5' });
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls?.close());

  /** `DSP PERF` as a map of `part.figure`. */
  async function figures(): Promise<Figures> {
    const rows = (await calls.server.mml('DSP PERF')).matchAll(/^\s*([a-z]+)\s+(\S+)\s+(\d+)\s*$/gm);
    return Object.fromEntries([...rows].map(([, part, name, value]) => [`${part}.${name}`, Number(value)]));
  }

  /** What is open now, by the names of figures that are not 0. */
  async function open(): Promise<Figures> {
    const isOpen =
      /^(calls\.(active|connected)|records\.(open|waiting)|signalling\.|engine\.(dialogs|pendingRequests|transactions\.)|relay\.activeSessions)/;
    return Object.fromEntries(
      Object.entries(await figures()).filter(([name, value]) => isOpen.test(name) && value !== 0),
    );
  }

  /** Waits for a refusal and acknowledges it. */
  async function refused(invite: Awaited<ReturnType<SipPeer['invite']>>, status: number): Promise<void> {
    a.ackRefusal(invite, await a.response(invite, status));
  }

  const KINDS: Readonly<Record<string, () => Promise<void>>> = {
    answered: async () => hangUp(a, b, await connect(a, b)),
    'BYE from both sides': async () => {
      const call = await connect(a, b);
      await Promise.all([a.bye(call.a), b.bye(call.b)]);
    },
    cancelled: async () => {
      const invite = await a.invite('1002');
      const atB = await b.next('INVITE');
      b.respond(atB, 180);
      await a.response(invite, 180);
      a.cancel(invite);
      b.respond(await b.next('CANCEL'), 200);
      b.respond(atB, 487);
      await refused(invite, 487);
    },
    busy: async () => {
      const invite = await a.invite('1002');
      b.respond(await b.next('INVITE'), 486);
      await refused(invite, 486);
    },
    unknown: async () => refused(await a.invite('9999'), 404),
    'bad description': async () => refused(await a.invite('1002', 'v=0\r\nx'), 488),
    'late offer': async () => {
      const invite = await a.invite('1002', null);
      const atB = await b.next('INVITE');
      b.respond(atB, 200, { sdp: b.sdp() });
      const dialog = a.ack(invite, await a.response(invite, 200), a.sdp());
      await b.next('ACK');
      const bye = a.bye(dialog);
      await b.expectBye();
      await bye;
    },
    'challenged and never heard of again': async () => {
      const invite = a.invitation('1002');
      a.send(invite);
      await a.response(invite, 407);
    },
    'one phone answers, two are dead': async () => {
      const dead = [await calls.phone('1003'), await calls.phone('1003')];
      const alive = await calls.phone('1003');
      await Promise.all(dead.map((phone) => phone.close()));
      await hangUp(a, alive, await connect(a, alive));
      await alive.close();
    },
  };

  /** Once: they take seconds. */
  const SLOW: Readonly<Record<string, () => Promise<void>>> = {
    'nobody answers': async () => {
      const invite = await a.invite('1002');
      const atB = await b.next('INVITE');
      b.respond(atB, 180);
      b.respond(await b.next('CANCEL'), 200);
      b.respond(atB, 487);
      await refused(invite, 480);
    },
    'both phones vanish in the call': async () => {
      const [c, d] = [await calls.phone('1003'), await calls.phone('1004')];
      await connect(c, d);
      await Promise.all([c.close(), d.close()]);
    },
    'the caller vanishes before its ACK': async () => {
      const c = await calls.phone('1004');
      const invite = await c.invite('1002');
      b.respond(await b.next('INVITE'), 200, { sdp: b.sdp() });
      await c.response(invite, 200);
      await b.next('ACK');
      await c.close();
    },
  };

  test('RFC 3261 §17: calls, dialogs, transactions, ports, records and files are all given back', async () => {
    const start = await figures();
    for (const [kind, run] of Object.entries(SLOW)) await named(kind, run);
    for (let round = 0; round < ROUNDS; round++)
      for (const [kind, run] of Object.entries(KINDS)) await named(kind, run);
    // The vanished caller's callee hears the BYE when its time has come.
    const lastBye = b.next('BYE', SETTLE_MS).then((bye) => b.respond(bye, 200));
    let left: Figures = {};
    await waitFor(
      'nothing to be left',
      async () => {
        left = await open();
        return Object.keys(left).length === 0;
      },
      SETTLE_MS,
    ).catch(() => undefined);
    assert.deepEqual(left, {});
    await lastBye;
    const end = await figures();
    assert.equal(end['relay.freePortPairs'], start['relay.freePortPairs']);
    assert.ok(
      end['process.openFiles']! <= start['process.openFiles']! + SPARE_FILES,
      `${start['process.openFiles']} files open at the start, ${end['process.openFiles']} at the end`,
    );
  });

  async function named(kind: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      throw new Error(`${kind}: ${(error as Error).message}`, { cause: error });
    }
  }
});
