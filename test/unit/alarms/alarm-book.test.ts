import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AlarmBook } from '../../../src/alarms/alarm-book.js';
import { CONFIRM_MS, MAX_ACTIVE_PER_NAME, MAX_DETAIL, MAX_HISTORY } from '../../../src/alarms/limits.js';
import type { Alarm, AlarmChange } from '../../../src/alarms/types.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { ManualClock } from '../../support/manual-clock.js';

interface Rig {
  readonly book: AlarmBook;
  readonly clock: ManualClock;
  readonly changes: AlarmChange[];
  /** What the Store would hold. */
  readonly kept: Map<string, Alarm>;
}

function openBook(): Rig {
  const clock = new ManualClock();
  const kept = new Map<string, Alarm>();
  const book = new AlarmBook({
    clock,
    log: silentLogger,
    keeping: { put: (alarm) => kept.set(alarm.uid, alarm), forget: ({ uid }) => kept.delete(uid) },
  });
  const changes: AlarmChange[] = [];
  book.onChange((change) => changes.push(change));
  return { book, clock, changes, kept };
}

const toldOf = ({ changes }: Rig): string[] =>
  changes.map(({ kind, alarm }) => `${kind} ${alarm.name} ${alarm.subject}`);

describe('AlarmBook', () => {
  it('counts an alarm that is raised again and tells of it once', () => {
    const rig = openBook();
    const { book, clock } = rig;
    const first = clock.now();
    book.raise('TRUNK_DOWN', 'carrier1', '503');
    clock.advance(1000);
    book.raise('TRUNK_DOWN', 'carrier1', '408');
    book.raise('TRUNK_DOWN', 'carrier2', '408');
    const alarm = book.active({ subject: 'carrier1' })[0]!;
    assert.deepEqual(
      [alarm.count, alarm.firstAt, alarm.lastAt, alarm.detail, alarm.severity],
      [2, first, first + 1000, '408', 'MAJOR'],
    );
    assert.deepEqual(toldOf(rig), ['raised TRUNK_DOWN carrier1', 'raised TRUNK_DOWN carrier2']);
  });

  it('moves what is cleared into the history, once', () => {
    const rig = openBook();
    const { book, clock } = rig;
    book.raise('STORE_DOWN', '', 'redis');
    clock.advance(5000);
    book.clear('STORE_DOWN', '');
    book.clear('STORE_DOWN', '');
    assert.deepEqual(book.active(), []);
    const [past, ...more] = book.history({ limit: 10 });
    assert.deepEqual([past!.clearedAt! - past!.firstAt, past!.clearedBy], [5000, 'server']);
    assert.deepEqual(more, []);
    assert.deepEqual(toldOf(rig), ['raised STORE_DOWN ', 'cleared STORE_DOWN ']);
  });

  it('neither counts nor tells of a state that stays, but shows how it changes', () => {
    const rig = openBook();
    const { book, clock } = rig;
    for (const free of ['400 MiB', '400 MiB', '300 MiB']) {
      clock.advance(1000);
      book.state('DISK_LOW', '/data', true, free);
    }
    const alarm = book.active()[0]!;
    assert.deepEqual([alarm.count, alarm.detail, alarm.lastAt - alarm.firstAt], [1, '300 MiB', 2000]);
    book.state('DISK_LOW', '/data', false, '');
    assert.deepEqual(toldOf(rig), ['raised DISK_LOW /data', 'cleared DISK_LOW /data']);
  });

  it('lists the worst first and the newest of them first, and filters', () => {
    const { book } = openBook();
    book.raise('CLOCK_JUMP', '', '');
    book.raise('TRUNK_DOWN', 'a', '');
    book.raise('STORE_DOWN', '', '');
    book.raise('TRUNK_DOWN', 'b', '');
    const names = (list: Alarm[]) => list.map(({ name, subject }) => `${name}${subject}`);
    assert.deepEqual(names(book.active()), ['STORE_DOWN', 'TRUNK_DOWNb', 'TRUNK_DOWNa', 'CLOCK_JUMP']);
    assert.deepEqual(names(book.active({ severity: 'MAJOR' })), ['STORE_DOWN', 'TRUNK_DOWNb', 'TRUNK_DOWNa']);
    assert.deepEqual(names(book.active({ name: 'TRUNK_DOWN', subject: 'a' })), ['TRUNK_DOWNa']);
  });

  it('clears by hand, and what is still wrong comes again', () => {
    const { book } = openBook();
    book.state('DISK_LOW', '/data', true, 'full');
    const { id } = book.active()[0]!;
    assert.equal(book.clearById(id, 'li')?.clearedBy, 'li');
    assert.equal(book.clearById(id, 'li'), undefined);
    book.state('DISK_LOW', '/data', true, 'full');
    assert.equal(book.active()[0]?.id, id + 1);
  });

  it('gathers a flood of subjects in one alarm, which ends with the last of them', () => {
    const { book } = openBook();
    for (let i = 0; i < MAX_ACTIVE_PER_NAME + 50; i++) book.raise('SOURCE_BANNED', `192.0.2.${i}`, 'scan');
    const rest = book.active({ subject: '*' })[0];
    assert.equal(book.active().length, MAX_ACTIVE_PER_NAME + 1);
    assert.equal(rest?.count, 50);
    for (let i = 0; i < MAX_ACTIVE_PER_NAME; i++) book.clear('SOURCE_BANNED', `192.0.2.${i}`);
    assert.deepEqual(book.active(), []);
  });

  it('ends the one for all the rest when nothing is gathered in it any more, while others stay', () => {
    const { book } = openBook();
    const rest = (): Alarm | undefined => book.active({ subject: '*' })[0];
    for (let i = 0; i < MAX_ACTIVE_PER_NAME + 2; i++) book.raise('TRUNK_DOWN', `t${i}`, '');
    book.clear('TRUNK_DOWN', 't0');
    book.clear('TRUNK_DOWN', `t${MAX_ACTIVE_PER_NAME}`);
    assert.equal(rest()?.count, 2, 'one is still gathered');
    book.clear('TRUNK_DOWN', `t${MAX_ACTIVE_PER_NAME + 1}`);
    assert.equal(rest(), undefined);
    assert.equal(book.active({ name: 'TRUNK_DOWN' }).length, MAX_ACTIVE_PER_NAME - 1);
  });

  it('gives what is gathered an alarm of its own when it is raised again and there is room', () => {
    const { book } = openBook();
    const look = (from: number): void => {
      for (let i = 0; i < MAX_ACTIVE_PER_NAME + 5; i++) book.state('SOURCE_BANNED', `s${i}`, i >= from, '');
    };
    look(0);
    look(10);
    look(10);
    const subjects = book.active().map(({ subject }) => subject);
    assert.equal(subjects.length, MAX_ACTIVE_PER_NAME - 5);
    assert.equal(subjects.includes('*'), false);
    assert.ok(subjects.includes(`s${MAX_ACTIVE_PER_NAME + 4}`));
  });

  it('does not write the one for all the rest anew when its subjects are looked at again', () => {
    const { book, kept } = openBook();
    const look = (): void => {
      for (let i = 0; i < MAX_ACTIVE_PER_NAME + 2; i++)
        book.state('SOURCE_BANNED', `192.0.2.${i}`, true, `${i}`);
    };
    look();
    const before = new Map(kept);
    look();
    for (const [uid, alarm] of kept) assert.equal(alarm, before.get(uid));
    assert.equal(book.active().length, MAX_ACTIVE_PER_NAME + 1);
  });

  it('bounds the history and what is kept of it, and cuts long texts', () => {
    const { book, kept } = openBook();
    for (let i = 0; i < MAX_HISTORY + 10; i++) {
      book.raise('TRUNK_DOWN', `t${i}`, 'x'.repeat(10_000));
      book.clear('TRUNK_DOWN', `t${i}`);
    }
    const past = book.history({ limit: 1e6 });
    assert.equal(past.length, MAX_HISTORY);
    assert.equal(kept.size, MAX_HISTORY);
    assert.equal(past[0]?.subject, `t${MAX_HISTORY + 9}`);
    assert.equal(past[0]?.detail.length, MAX_DETAIL);
  });

  it('goes on with alarms of the last run that are raised again, and ends the others in time', () => {
    const former = openBook();
    former.book.raise('TRUNK_DOWN', 'stays', '');
    former.book.raise('TRUNK_DOWN', 'went', '');
    former.book.raise('CLOCK_JUMP', '', '');
    former.book.raise('STORE_DOWN', '', '');
    former.book.clear('STORE_DOWN', '');
    const rig = openBook();
    const { book, clock } = rig;
    book.restore([...former.kept.values()]);
    assert.deepEqual(toldOf(rig), []);
    assert.equal(book.history({ limit: 9 })[0]?.name, 'STORE_DOWN');
    clock.advance(CONFIRM_MS - 1);
    book.state('TRUNK_DOWN', 'stays', true, '503');
    assert.equal(book.active().length, 3);
    clock.advance(2);
    assert.deepEqual(
      book.active().map(({ name, subject, id }) => `${id} ${name} ${subject}`),
      ['1 TRUNK_DOWN stays', '3 CLOCK_JUMP '],
    );
    assert.equal(book.history({ limit: 1 })[0]?.clearedBy, 'restart');
    book.raise('OVERLOAD', '', '');
    assert.equal(book.active({ name: 'OVERLOAD' })[0]?.id, 5);
  });

  it('joins what the Store tells late with what was raised meanwhile', () => {
    const former = openBook();
    former.book.raise('STORE_DOWN', '', 'then');
    former.book.raise('TRUNK_DOWN', 'a', '');
    const rig = openBook();
    rig.clock.advance(1000);
    rig.book.raise('STORE_DOWN', '', 'now');
    rig.book.raise('OVERLOAD', '', '');
    rig.book.restore([...former.kept.values()]);
    const active = rig.book.active();
    assert.equal(new Set(active.map(({ id }) => id)).size, 3);
    const store = active.find(({ name }) => name === 'STORE_DOWN');
    assert.deepEqual(
      [store?.id, store?.count, store?.detail, store?.firstAt],
      [1, 2, 'now', former.clock.now()],
    );
    assert.equal(rig.kept.size, 2, 'the STORE_DOWN of this run is not kept twice');
  });

  it('tells of the end of an alarm by the uid and number that it was raised by, joined late or not', () => {
    const former = openBook();
    former.book.raise('STORE_DOWN', '', 'then');
    former.book.raise('TRUNK_DOWN', 'a', '');
    former.book.clear('TRUNK_DOWN', 'a');
    const { book, changes, kept } = openBook();
    book.raise('STORE_DOWN', '', 'now');
    const { uid, id } = book.active()[0]!;
    book.restore([...former.kept.values()]);
    book.clear('STORE_DOWN', '');
    const first = [...former.kept.values()][0]!;
    assert.deepEqual(
      changes.map(({ kind, alarm }) => [kind, alarm.uid, alarm.id, alarm.clearedBy]),
      [
        ['raised', uid, id, undefined],
        ['cleared', uid, id, 'restart'],
        ['raised', first.uid, first.id, undefined],
        ['cleared', first.uid, first.id, 'server'],
      ],
    );
    assert.equal(kept.size, 1, 'the history has it once');
  });

  it('lets no listener spoil the others', () => {
    const rig = openBook();
    rig.book.onChange(() => {
      throw new Error('broken');
    });
    const after: AlarmChange[] = [];
    rig.book.onChange((change) => after.push(change));
    rig.book.raise('OVERLOAD', '', '');
    assert.equal(after.length, 1);
  });
});
