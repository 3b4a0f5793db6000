import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../../src/platform/logger.js';
import { TrunkEditor } from '../../../src/trunks/trunk-editor.js';
import { TrunkTable } from '../../../src/trunks/trunk-table.js';
import { ManualClock } from '../../support/manual-clock.js';
import { memoryCollection } from '../../support/memory-collection.js';

test('changes of one trunk made at once undo none of each other', async () => {
  const collections = { trunks: memoryCollection(), routes: memoryCollection() };
  const store = { collection: (name: string) => collections[name as keyof typeof collections] };
  const table = new TrunkTable(store, new ManualClock(), silentLogger, () => undefined);
  await table.start();
  const editor = new TrunkEditor(table, { authData: async () => undefined }, 'ims.example');
  await editor.add('carrier', { address: '192.0.2.7' });
  const rule = { direction: 'OUT', of: 'CALLED', kind: 'PREFIX', match: '0', replace: '+49' } as const;
  await Promise.all([
    editor.modify('carrier', { maxCalls: 3 }),
    editor.modify('carrier', { inUsername: 'branch', inPassword: 'its own secret' }),
    editor.modify('carrier', { maxRate: 5 }),
    editor.addRule('carrier', rule),
  ]);
  const { maxCalls, maxRate, inUsername, rules } = table.get('carrier')!;
  assert.deepEqual([maxCalls, maxRate, inUsername, rules], [3, 5, 'branch', [rule]]);
  table.close();
});
