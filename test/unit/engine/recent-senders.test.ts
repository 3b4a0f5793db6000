import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransportError } from '../../../src/engine/transport/errors.js';
import { RecentSenders } from '../../../src/engine/transport/recent-senders.js';

test('those who sent within the last seconds are told once, the others not', () => {
  const senders = new RecentSenders();
  const told: string[] = [];
  const sender = (name: string) => ({ onSendFailure: (): void => void told.push(name) });
  const twice = sender('twice');
  senders.add(sender('long ago'), 0);
  senders.add(sender('old'), 9_000);
  senders.add(twice, 17_500);
  senders.add(twice, 18_000);
  senders.add(sender('new'), 20_000);
  const error = new TransportError('PEER_REFUSED', 'test');
  senders.fail(error);
  assert.deepEqual(told, ['old', 'twice', 'new']);
  senders.fail(error);
  assert.equal(told.length, 3);
});

test('after a long silence no one is left of those before', () => {
  const senders = new RecentSenders();
  let told = 0;
  const sender = (): { onSendFailure: () => void } => ({ onSendFailure: () => void told++ });
  senders.add(sender(), 0);
  senders.add(sender(), 60_000);
  senders.fail(new TransportError('PEER_REFUSED', 'test'));
  assert.equal(told, 1);
});
