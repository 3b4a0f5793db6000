import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { AlarmBook } from '../../../src/alarms/alarm-book.js';
import type { Severity } from '../../../src/alarms/catalogue.js';
import { AlarmWebhook, MAX_WAITING_CHANGES, type WebhookOptions } from '../../../src/alarms/webhook.js';
import { LoggerFactory, silentLogger } from '../../../src/platform/logger.js';
import { freeTcpPort } from '../../support/free-port.js';
import { ManualClock } from '../../support/manual-clock.js';
import { waitFor } from '../../support/wait-for.js';
import { WebReceiver } from '../../support/web-receiver.js';

const FROM = { product: 'ims-server', version: '0.1.0', node: 'n1' };

describe('the alarm webhook', { timeout: 60_000 }, () => {
  let receiver: WebReceiver;
  let clock: ManualClock;
  let book: AlarmBook;
  let log: string;
  let logged: { write: (line: string) => void };
  let hook: AlarmWebhook | undefined;
  const others: WebReceiver[] = [];
  beforeEach(async () => {
    receiver = await WebReceiver.start();
    clock = new ManualClock();
    book = new AlarmBook({ clock, log: silentLogger });
    log = '';
  });
  afterEach(async () => {
    await hook?.close();
    await Promise.all([receiver, ...others.splice(0)].map((one) => one.close()));
    assert.equal(clock.pendingTimers, 0, 'a timer is left');
  });

  const open = (more: Partial<WebhookOptions> = {}): void => {
    logged = {
      write: (line) => {
        log += line;
      },
    };
    const destination = { write: (line: string) => logged.write(line) };
    const logger = new LoggerFactory({ level: 'debug', destination }).for('alarms');
    const severity = (): Severity => 'WARNING';
    hook = new AlarmWebhook({ url: receiver.url, from: FROM, severity, log: logger, clock, ...more }, book);
  };
  const flap = (count: number): void => {
    for (let i = 0; i < count; i++) book.raise('TRUNK_DOWN', `t${i}`, '');
  };
  /** Moves time on until so many posts came: attempts are real, pauses are not. */
  const pass = async (count: number): Promise<void> => {
    await waitFor(`${count} posts`, () => {
      clock.advance(60_000);
      return receiver.posted.length >= count;
    });
  };

  it('tells of each alarm that comes and goes, with all that is known of it, and signs it', async () => {
    open({ url: `${receiver.url}/big`, key: 'sesame' });
    book.raise('TRUNK_DOWN', 'carrier1', '503');
    book.raise('TRUNK_DOWN', 'carrier1', '408');
    book.clear('TRUNK_DOWN', 'carrier1');
    assert.deepEqual(await receiver.events(2), ['raised TRUNK_DOWN carrier1', 'cleared TRUNK_DOWN carrier1']);
    const [first, second] = receiver.posted;
    assert.equal(first?.path, '/big');
    assert.equal(first?.headers['content-type'], 'application/json');
    const mac = createHmac('sha256', 'sesame')
      .update(first?.text ?? '')
      .digest('hex');
    assert.equal(first?.headers['x-ims-signature'], `sha256=${mac}`);
    assert.deepEqual(
      [first?.body['node'], first?.body['severity'], first?.body['count']],
      ['n1', 'MAJOR', 1],
    );
    assert.equal(first?.body['firstAt'], '2030-01-01T00:00:00.000Z');
    assert.deepEqual([second?.body['uid'], second?.body['count']], [first?.body['uid'], 2]);
    assert.equal(second?.body['clearedBy'], 'server');
    assert.notEqual(first?.headers['x-ims-delivery'], second?.headers['x-ims-delivery']);
  });

  it('tries again after a fault, in the order of the alarms, and logs the fault once', async () => {
    receiver.answers = [500, 503, 'hang', 429, 200];
    open({ timeoutMs: 200 });
    flap(2);
    await pass(6);
    assert.deepEqual(await receiver.events(6), [
      ...Array.from({ length: 5 }, () => 'raised TRUNK_DOWN t0'),
      'raised TRUNK_DOWN t1',
    ]);
    assert.equal(
      new Set(receiver.posted.slice(0, 5).map(({ headers }) => headers['x-ims-delivery'])).size,
      1,
    );
    await waitFor('the log', () => log.includes('takes alarms again'));
    assert.equal(log.split('does not take alarms').length - 1, 1);
  });

  it('tells at once of an alarm that comes while it ends its round', async () => {
    receiver.answers = [500, 200];
    open();
    const { write } = logged;
    logged.write = (line) => {
      write(line);
      // The round ends with this line; what is queued here runs before it is over.
      if (line.includes('takes alarms again')) queueMicrotask(() => book.raise('OVERLOAD', '', ''));
    };
    flap(1);
    await pass(2);
    assert.deepEqual((await receiver.events(3)).slice(2), ['raised OVERLOAD']);
  });

  it('waits longer from one attempt to the next', async () => {
    receiver.answers = [500];
    open();
    flap(1);
    for (const [attempt, pauseMs] of [1000, 2000, 4000].entries()) {
      await waitFor('an attempt', () => receiver.posted.length === attempt + 1 && clock.pendingTimers === 1);
      clock.advance(pauseMs - 1);
      assert.equal(clock.pendingTimers, 1);
      clock.advance(1);
      assert.equal(clock.pendingTimers, 0);
    }
    await waitFor('an attempt', () => receiver.posted.length === 4 && clock.pendingTimers === 1);
  });

  it('gives an alarm up after eight attempts, and one that is refused or sent elsewhere at once', async () => {
    receiver.answers = [...Array.from({ length: 8 }, () => 500), 404, 307, 200];
    open();
    flap(4);
    await pass(11);
    assert.deepEqual((await receiver.events(11)).slice(7), [
      'raised TRUNK_DOWN t0',
      'raised TRUNK_DOWN t1',
      'raised TRUNK_DOWN t2',
      'raised TRUNK_DOWN t3',
    ]);
    await waitFor('the log', () => /"dropped":3.*takes alarms again/.test(log));
    assert.ok(receiver.posted.every(({ path }) => path === '/'));
  });

  it('tells nobody below the severity asked for', async () => {
    let severity: Severity = 'CRITICAL';
    open({ severity: () => severity });
    book.raise('TRUNK_DOWN', 'a', '');
    book.raise('STORE_DOWN', '', '');
    severity = 'MAJOR';
    book.raise('TRUNK_DOWN', 'b', '');
    assert.deepEqual(await receiver.events(2), ['raised STORE_DOWN', 'raised TRUNK_DOWN b']);
  });

  it('keeps a bounded number for a receiver that is away, the newest, and no secret in the log', async () => {
    const port = await freeTcpPort();
    open({ url: `http://user:hush-hush@127.0.0.1:${port}/hush-hush`, key: 'hush-hush' });
    for (let i = 0; i < MAX_WAITING_CHANGES; i++) {
      book.raise('OVERLOAD', '', '');
      book.clear('OVERLOAD', '');
    }
    await waitFor('the log', () => log.includes('ECONNREFUSED'));
    const late = await WebReceiver.start(port);
    others.push(late);
    await waitFor('the first', () => {
      clock.advance(1000);
      return late.posted.length > 0;
    });
    await late.events(MAX_WAITING_CHANGES);
    await waitFor('the log', () => log.includes(`"dropped":${MAX_WAITING_CHANGES}`));
    assert.equal(late.posted.length, MAX_WAITING_CHANGES);
    assert.equal(late.posted[0]?.headers.authorization, `Basic ${btoa('user:hush-hush')}`);
    const newest = late.posted.at(-1)?.body;
    assert.deepEqual([newest?.['event'], newest?.['id']], ['cleared', MAX_WAITING_CHANGES]);
    assert.doesNotMatch(log, /hush-hush/);
  });

  it('ends at once with an attempt under way, and says what it did not tell', async () => {
    receiver.answers = ['hang'];
    open();
    flap(3);
    await receiver.events(1);
    await hook?.close();
    assert.match(log, /"waiting":3.*untold/);
  });
});
