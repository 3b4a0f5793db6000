import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CallDialog } from '../../../src/call/call-dialogs.js';
import { DialogModel } from '../../../src/events/dialog-model.js';
import { dialogPackage } from '../../../src/events/dialog-package.js';
import { presencePackage } from '../../../src/events/presence-package.js';
import { Publications } from '../../../src/events/publications.js';
import { ManualClock } from '../../support/manual-clock.js';

type Watcher = (id: string, dialogs: readonly CallDialog[]) => void;

function dialog(username: string, state: CallDialog['state']): CallDialog {
  const remote = { number: '1001', displayName: '' };
  return { username, direction: 'recipient', state, callId: 'c', remote };
}

function setUp() {
  const clock = new ManualClock();
  const told: string[] = [];
  let watcher: Watcher | undefined;
  const watch = (one: Watcher) => {
    watcher = one;
    return () => {
      watcher = undefined;
    };
  };
  const model = new DialogModel(watch, clock, (username) => told.push(username));
  return {
    clock,
    told,
    model,
    tell: (...args: Parameters<Watcher>) => watcher?.(...args),
    isWatching: () => !!watcher,
  };
}

describe('the dialogs of watched users', () => {
  test('calls are watched while somebody needs them, and forgotten after', () => {
    const { model, tell, isWatching } = setUp();
    assert.equal(isWatching(), false);
    model.need('dialog', true);
    model.need('presence', true);
    tell('1', [dialog('1002', 'early')]);
    model.need('dialog', false);
    assert.equal(isWatching(), true);
    assert.equal(model.dialogsOf('1002').length, 1);
    model.need('presence', false);
    assert.equal(isWatching(), false);
    assert.deepEqual(model.dialogsOf('1002'), []);
  });

  test('RFC 4235 §3.7.1: a change is told once, an end as terminated for ten seconds', () => {
    const { clock, told, model, tell } = setUp();
    model.need('dialog', true);
    tell('1', [dialog('1002', 'early'), dialog('1003', 'early')]);
    tell('1', [dialog('1002', 'early'), dialog('1003', 'early')]);
    assert.deepEqual(told, ['1002', '1003']);
    tell('1', [dialog('1002', 'confirmed')]);
    assert.deepEqual(told.slice(2), ['1002', '1003']);
    assert.equal(model.isTalking('1002'), true);
    assert.deepEqual(
      model.dialogsOf('1003').map(({ state }) => state),
      ['terminated'],
    );
    tell('1', []);
    assert.equal(model.isTalking('1002'), false);
    clock.advance(9999);
    assert.equal(model.dialogsOf('1002').length, 1);
    clock.advance(1);
    assert.deepEqual(model.dialogsOf('1002'), []);
    assert.equal(clock.pendingTimers, 0);
  });

  test('a phone that is rung again by the same call stays', () => {
    const { clock, model, tell } = setUp();
    model.need('dialog', true);
    tell('1', [dialog('1002', 'early')]);
    tell('1', [dialog('1003', 'early')]);
    tell('1', [dialog('1002', 'early')]);
    clock.advance(20_000);
    assert.deepEqual(
      model.dialogsOf('1002').map(({ state }) => state),
      ['early'],
    );
  });

  test('RFC 4235 §3.10, RFC 3856 §6.10: NOTIFYs are a second apart, of presence five', () => {
    const { model: dialogs, clock } = setUp();
    assert.equal(dialogPackage(dialogs).intervalMs, 1000);
    const publications = new Publications(clock, 1, () => undefined);
    const isRegistered = async () => true;
    assert.equal(presencePackage({ publications, dialogs, isRegistered }).intervalMs, 5000);
  });
});
