import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AlarmBook } from '../../../src/alarms/alarm-book.js';
import { certificateLook } from '../../../src/alarms/watches/certificate-look.js';
import { clockLook } from '../../../src/alarms/watches/clock-look.js';
import { diskLook } from '../../../src/alarms/watches/disk-look.js';
import { callsLook, overloadLook } from '../../../src/alarms/watches/load-look.js';
import { recordLook } from '../../../src/alarms/watches/record-look.js';
import { relayLook } from '../../../src/alarms/watches/relay-look.js';
import { Rounds } from '../../../src/alarms/watches/rounds.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { Certificates } from '../../support/certificates.js';
import { ManualClock } from '../../support/manual-clock.js';

const DAY_MS = 86_400_000;
const openBook = (clock = new ManualClock()) => new AlarmBook({ clock, log: silentLogger });
const active = (book: AlarmBook) => book.active().map(({ name, subject }) => `${name} ${subject}`.trim());

/** Wall time that a test sets apart from the monotonic time. */
class SetClock extends ManualClock {
  shiftMs = 0;
  override now(): number {
    return super.now() + this.shiftMs;
  }
}

describe('what is looked at for alarms', () => {
  it('notices a clock that was set, either way, and no slow drift', () => {
    const clock = new SetClock();
    const book = openBook(clock);
    const look = clockLook(clock, book);
    for (let i = 0; i < 100; i++) {
      clock.advance(5000);
      clock.shiftMs += 50;
      void look.look();
    }
    assert.deepEqual(active(book), []);
    clock.shiftMs += 3_600_000;
    void look.look();
    assert.match(book.active()[0]!.detail, /^3600\.0 s forward$/);
    void look.look();
    clock.shiftMs -= 5000;
    void look.look();
    assert.deepEqual([book.active()[0]?.count, book.active()[0]?.detail], [2, '5.0 s back']);
  });

  it('notices a disk with too little space, and that there is space again', async () => {
    const book = openBook();
    let limit = 1e9;
    const look = diskLook(tmpdir(), () => limit, book);
    await look.look();
    assert.deepEqual(active(book), [`DISK_LOW ${tmpdir()}`]);
    assert.match(book.active()[0]!.detail, /^\d+ MiB of \d+ MiB free$/);
    limit = 0;
    await look.look();
    assert.deepEqual(active(book), []);
  });

  it('notices a certificate about to end, one that has ended, and one that is no certificate', async () => {
    const certificates = new Certificates();
    const directory = mkdtempSync(join(tmpdir(), 'ims-look-'));
    const file = join(directory, 'cert.pem');
    try {
      // The clock of the machine: openssl made the certificate by that one, for two days.
      const clock = new SetClock(Date.now());
      const book = openBook(clock);
      copyFileSync(certificates.selfSigned('DNS:localhost').certificateFile, file);
      const look = certificateLook(file, () => 1, clock, book);
      await look.look();
      assert.deepEqual(active(book), []);
      clock.shiftMs = 1.5 * DAY_MS;
      await look.look();
      assert.deepEqual(active(book), [`CERT_EXPIRING ${file}`]);
      clock.shiftMs = 2.5 * DAY_MS;
      await look.look();
      assert.deepEqual(active(book), [`CERT_EXPIRED ${file}`]);
      clock.shiftMs = 0;
      await look.look();
      assert.deepEqual(active(book), []);
      writeFileSync(file, 'nothing');
      await look.look();
      assert.deepEqual(active(book), [`CERT_EXPIRED ${file}`]);
    } finally {
      certificates.close();
      rmSync(directory, { recursive: true });
    }
  });

  it('notices a relay that fails twice running, and that none is left', async () => {
    const book = openBook();
    const alive = new Map([
      ['one', true],
      ['two', true],
    ]);
    const health = async () => [...alive].map(([name, isUp]) => ({ name, alive: isUp, error: 'silent' }));
    const look = relayLook(health, book);
    alive.set('one', false);
    await look.look();
    assert.deepEqual(active(book), []);
    await look.look();
    assert.deepEqual(active(book), ['RELAY_DOWN one']);
    alive.set('two', false);
    await look.look();
    await look.look();
    assert.deepEqual(active(book), ['NO_RELAY', 'RELAY_DOWN two', 'RELAY_DOWN one']);
    alive.set('one', true);
    await look.look();
    assert.deepEqual(active(book), ['RELAY_DOWN two']);
  });

  it('notices records that wait until half of them are delivered, a journal that fails, records lost', () => {
    const book = openBook();
    let state = { waiting: 9, isJournalWritten: true, lost: 0 };
    const look = recordLook(
      () => state,
      () => 10,
      book,
    );
    const after = (change: Partial<typeof state>): string[] => {
      state = { ...state, ...change };
      void look.look();
      return active(book);
    };
    assert.deepEqual(after({}), []);
    assert.deepEqual(after({ waiting: 10 }), ['RECORDS_WAITING']);
    assert.deepEqual(after({ waiting: 5 }), ['RECORDS_WAITING']);
    assert.deepEqual(after({ waiting: 4 }), []);
    assert.deepEqual(after({ isJournalWritten: false }), ['JOURNAL_FAILING']);
    assert.deepEqual(after({ isJournalWritten: true }), []);
    assert.deepEqual(after({ lost: 3 }), ['RECORDS_LOST']);
    after({});
    assert.equal(book.active()[0]?.count, 1);
    after({ lost: 4 });
    assert.deepEqual([book.active()[0]?.count, book.active()[0]?.detail], [2, '4 since the start']);
  });

  it('notices an overload, also one between two looks, and calls at their limit', async () => {
    const book = openBook();
    let state = { isActive: false, entered: 1, detail: '' };
    const look = overloadLook(async () => state, book);
    await look.look();
    assert.deepEqual(active(book), [], 'what was before the first look is no news');
    state = { isActive: false, entered: 2, detail: 'short' };
    await look.look();
    assert.deepEqual(active(book), []);
    assert.equal(book.history({ limit: 1 })[0]?.detail, 'short');
    state = { isActive: true, entered: 3, detail: 'long' };
    await look.look();
    assert.deepEqual(active(book), ['OVERLOAD']);
    let calls = 100;
    const full = callsLook(
      () => calls,
      () => 100,
      book,
    );
    for (const [now, isActive] of [
      [100, true],
      [95, true],
      [89, false],
      [99, false],
    ] as const) {
      calls = now;
      void full.look();
      assert.equal(active(book).includes('CALLS_FULL'), isActive, `${now} calls`);
    }
  });

  it('goes on looking when a look fails, never twice at once, and ends with its owner', async () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    let release = (): void => undefined;
    const slow = {
      name: 'slow',
      everyMs: 10,
      look: () => new Promise<void>((resolve) => (release = resolve)),
    };
    const broken = {
      name: 'broken',
      everyMs: 10,
      look: () => {
        seen.push('broken');
        throw new Error('out of order');
      },
    };
    const counted = {
      ...slow,
      look: () => {
        seen.push('slow');
        return slow.look();
      },
    };
    const rounds = new Rounds([broken, counted], clock, silentLogger);
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 3; i++) {
      await settle();
      clock.advance(10);
    }
    await settle();
    assert.deepEqual(seen.filter((name) => name === 'slow').length, 1);
    assert.equal(seen.filter((name) => name === 'broken').length, 4);
    await rounds.close();
    release();
    await settle();
    assert.equal(clock.pendingTimers, 0);
  });
});
