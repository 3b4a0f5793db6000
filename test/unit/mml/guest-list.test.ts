import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { MAX_UNAUTHENTICATED, MAX_UNAUTHENTICATED_PER_ADDRESS } from '../../../src/mml/limits.js';
import { GuestList } from '../../../src/mml/transport/guest-list.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { ManualClock } from '../../support/manual-clock.js';

const socket = () => new PassThrough() as unknown as Socket;

describe('GuestList', () => {
  const list = () => new GuestList(new ManualClock(), silentLogger);

  it('keeps few of one address; the oldest silent one gives way, those that speak do not', () => {
    const guests = list();
    const first = socket();
    guests.admit(first, '192.0.2.1');
    for (let i = 1; i < MAX_UNAUTHENTICATED_PER_ADDRESS; i++)
      guests.admit(socket(), '192.0.2.1')!.signed = true;
    const next = guests.admit(socket(), '192.0.2.1')!;
    assert.ok(first.destroyed);
    next.signed = true;
    assert.equal(guests.admit(socket(), '192.0.2.1'), undefined);
    assert.ok(guests.admit(socket(), '192.0.2.2'));
  });

  it('counts an IPv6 /64 as one address', () => {
    const guests = list();
    for (let i = 0; i < MAX_UNAUTHENTICATED_PER_ADDRESS; i++)
      guests.admit(socket(), `2001:db8::${i + 1}`)!.signed = true;
    assert.equal(guests.admit(socket(), '2001:db8::ffff'), undefined);
    assert.ok(guests.admit(socket(), '2001:db8:0:1::1'));
  });

  it('takes a place from who holds most when all are taken by those that speak', () => {
    const guests = list();
    const sockets: Socket[] = [];
    for (let i = 0; i < MAX_UNAUTHENTICATED; i++) {
      sockets.push(socket());
      // 192.0.2.0 holds two more than the others.
      const address = i < 3 ? '192.0.2.0' : `198.51.100.${i}`;
      guests.admit(sockets.at(-1)!, address)!.signed = true;
    }
    assert.ok(guests.admit(socket(), '203.0.113.1'));
    assert.deepEqual(sockets.map(({ destroyed }) => destroyed).indexOf(true), 0);
    assert.equal(sockets.filter(({ destroyed }) => destroyed).length, 1);
  });

  it('refuses a newcomer when everybody holds one place', () => {
    const guests = list();
    for (let i = 0; i < MAX_UNAUTHENTICATED; i++) guests.admit(socket(), `198.51.100.${i}`)!.signed = true;
    assert.equal(guests.admit(socket(), '203.0.113.1'), undefined);
  });
});
