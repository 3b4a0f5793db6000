import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { StoredAnnouncements } from '../../../src/announcements/announcements.js';
import { SoundLibrary } from '../../../src/audio/sound-library.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { ManualClock } from '../../support/manual-clock.js';
import { openTempStore } from '../../support/temp-store.js';
import { waitFor } from '../../support/wait-for.js';

const temp = await openTempStore();
after(temp.close);
const settings = temp.store.collection('settings');
const sounds = new SoundLibrary('/nowhere', { check: async () => ({ durationMs: 1 }) });

const put = (sound: string) => settings.put('announcements', { BUSY: { enabled: true, sound, seconds: 5 } });

test('a sound that there is not is no announcement, and no fault of the call; what another process changed holds from the next call on', async () => {
  const clock = new ManualClock();
  await put('tone:polka');
  const warnings: unknown[] = [];
  const log = {
    ...silentLogger,
    warn: (facts: unknown) => void warnings.push(facts),
    debug: () => undefined,
  };
  const announcements = new StoredAnnouncements({ store: temp.store, sounds, log: log as never, clock });
  await waitFor(
    'the settings to be read',
    () => announcements.find('BUSY') === undefined && warnings.length > 0,
  );
  await put('tone:busy');
  clock.advance(3_600_000);
  assert.equal(announcements.find('BUSY'), undefined);
  await waitFor('the change to be seen', () => announcements.find('BUSY') !== undefined);
  assert.deepEqual(announcements.find('BUSY'), {
    name: 'BUSY',
    sound: { tone: 'busy' },
    loop: true,
    maxMs: 5000,
  });
});
