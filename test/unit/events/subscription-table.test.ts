import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageSummary } from '../../../src/events/message-summary.js';
import { Subscription } from '../../../src/events/subscription.js';
import { SubscriptionTable } from '../../../src/events/subscription-table.js';
import { silentLogger } from '../../../src/platform/logger.js';
import type { SrfEngine } from '../../../src/signalling/srf-types.js';
import { ManualClock } from '../../support/manual-clock.js';

const clock = new ManualClock();
const engine = {} as SrfEngine;

function subscriptionOf(table: SubscriptionTable, id: string, dialogId: string): Subscription {
  const event = { name: 'message-summary', id: undefined };
  const who = {
    subscriber: '1001',
    resource: '1001',
    subscriberSince: 1,
    resourceSince: 1,
    contact: '',
    address: '',
    userAgent: '',
  };
  return new Subscription(
    { id, dialogId, event, ...who },
    messageSummary(async () => 0),
    {
      engine,
      clock,
      log: silentLogger,
      intervalMs: 1000,
      isCut: () => false,
      resource: async () => undefined,
      onOver: (one) => table.remove(one),
    },
  );
}

test('one that has the dialog of another takes its place, and nothing is left when it ends too', () => {
  const interest: boolean[] = [];
  const table = new SubscriptionTable((_event, isWatched) => interest.push(isWatched));
  const [former, newer] = [subscriptionOf(table, 'A', 'd'), subscriptionOf(table, 'B', 'd')];
  table.add(former);
  table.add(newer);
  assert.equal(table.find('d'), newer);
  assert.deepEqual([...table.watching('message-summary', '1001')], [newer]);
  assert.deepEqual([table.size, table.countOf('1001')], [1, 1]);
  former.drop();
  newer.drop();
  assert.deepEqual([table.size, table.countOf('1001')], [0, 0]);
  assert.deepEqual([...table.watching('message-summary', '1001')], []);
  assert.equal(interest.at(-1), false);
});
