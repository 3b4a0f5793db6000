import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { showValue } from '../../../src/config/describe.js';
import { loadConfig, parseSetting } from '../../../src/config/load.js';
import { SETTINGS, type SettingName } from '../../../src/config/schema.js';
import { RunningSettings, type SettingsStore } from '../../../src/config/settings.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { memoryCollection } from '../../support/memory-collection.js';

const store = () => memoryCollection() as SettingsStore & ReturnType<typeof memoryCollection>;

async function open(on: SettingsStore, env: Record<string, string> = {}): Promise<RunningSettings> {
  const settings = new RunningSettings(loadConfig({ env }), silentLogger);
  await settings.load(on);
  return settings;
}

const view = (settings: RunningSettings, name: SettingName) =>
  settings.list().find((one) => one.name === name)!;

describe('settings of a running server', () => {
  it('a live setting is in force at once and after the next start, below flag, environment and file', async () => {
    const kept = store();
    const settings = await open(kept);
    const changed: string[] = [];
    settings.onChange((name) => changed.push(name));
    assert.deepEqual(await settings.change('no_answer_sec', '45'), {
      name: 'NO_ANSWER_SEC',
      value: '45',
      effect: 'now',
    });
    assert.equal(settings.config.NO_ANSWER_SEC, 45);
    assert.deepEqual(changed, ['NO_ANSWER_SEC']);
    const next = await open(kept);
    assert.equal(next.config.NO_ANSWER_SEC, 45);
    assert.equal(view(next, 'NO_ANSWER_SEC').origin, 'stored');
    const other = await open(kept, { NO_ANSWER_SEC: '30' });
    assert.equal(other.config.NO_ANSWER_SEC, 30);
    assert.equal(view(other, 'NO_ANSWER_SEC').origin, 'environment');
  });

  it('one that cannot change while running is kept, and shows what it will be', async () => {
    const kept = store();
    const settings = await open(kept);
    assert.equal((await settings.change('RTP_PORTS', '40000-40999')).effect, 'next-start');
    assert.equal(settings.config.RTP_PORTS.first, 20_000);
    assert.equal(view(settings, 'RTP_PORTS').next, '40000-40999');
    assert.equal((await open(kept)).config.RTP_PORTS.first, 40_000);
    assert.equal((await settings.forget('RTP_PORTS')).effect, 'now');
    assert.equal(view(settings, 'RTP_PORTS').next, undefined);
    await assert.rejects(settings.change('RTP_PORTS', '40000-40999', false), { code: 'SETTING_NOT_LIVE' });
  });

  it('what is set until the next start alone is kept by save, unless something stronger would win', async () => {
    const kept = store();
    const settings = await open(kept, { LOG_LEVEL: 'warn' });
    await settings.change('LOG_LEVEL', 'debug', false);
    await settings.change('MAX_CALLS', '7', false);
    assert.equal(settings.config.LOG_LEVEL, 'debug');
    assert.equal(view(settings, 'MAX_CALLS').origin, 'running');
    assert.equal(view(settings, 'MAX_CALLS').next, '5000');
    assert.deepEqual(await settings.save(), ['MAX_CALLS']);
    assert.equal((await open(kept)).config.MAX_CALLS, 7);
    assert.equal((await open(kept)).config.LOG_LEVEL, 'info');
  });

  it('refuses what is unknown, out of range, secret, needed early, set more strongly, or does not go together', async () => {
    const kept = store();
    const settings = await open(kept, { MAX_CALLS: '9' });
    for (const [name, value, code] of [
      ['NO_SUCH', '1', 'CONFIG_INVALID'],
      ['NO_ANSWER_SEC', '0', 'CONFIG_INVALID'],
      ['REG_MIN_SEC', '7200', 'CONFIG_INVALID'],
      ['STORE_URL', 'embedded:', 'SETTING_SECRET'],
      ['DATA_DIR', '/tmp/x', 'SETTING_EARLY'],
      ['MAX_CALLS', '10', 'SETTING_OVERRIDDEN'],
    ] as const)
      await assert.rejects(settings.change(name, value), { code }, name);
    assert.equal(await kept.count(), 0);
    assert.equal(settings.config.REG_MIN_SEC, 60);
  });

  it('leaves a stored value out that is no longer allowed, and keys that are no settings', async () => {
    const kept = store();
    await kept.put('cfg.NO_ANSWER_SEC', 'soon');
    await kept.put('cfg.GONE', '1');
    await kept.put('secret.nonce', 'aa');
    const settings = await open(kept);
    assert.equal(settings.config.NO_ANSWER_SEC, 60);
    assert.ok(!settings.list().some(({ name }) => /secret|GONE/i.test(name)));
  });

  it('two that go together only as they were set are both there after the next start', async () => {
    const kept = store();
    const settings = await open(kept);
    await settings.change('REG_MIN_SEC', '10');
    await settings.change('REG_MAX_SEC', '30');
    const next = await open(kept);
    assert.deepEqual([next.config.REG_MIN_SEC, next.config.REG_MAX_SEC], [10, 30]);
    // One of them is set more strongly now: what no longer goes with it is left out, all else is not.
    await settings.change('MAX_CALLS', '7');
    const { config } = await open(kept, { REG_MIN_SEC: '60' });
    assert.deepEqual([config.REG_MIN_SEC, config.REG_MAX_SEC, config.MAX_CALLS], [60, 3600, 7]);
  });

  it('forgets none whose default does not go with the others', async () => {
    const kept = store();
    const settings = await open(kept);
    await settings.change('REG_MAX_SEC', '7200');
    await settings.change('REG_MIN_SEC', '5000');
    await assert.rejects(settings.forget('REG_MAX_SEC'), { code: 'CONFIG_INVALID' });
    assert.deepEqual([settings.config.REG_MAX_SEC, await kept.count()], [7200, 2]);
    await settings.forget('REG_MIN_SEC');
    await settings.forget('REG_MAX_SEC');
    assert.deepEqual([settings.config.REG_MIN_SEC, settings.config.REG_MAX_SEC], [60, 3600]);
  });

  it('takes nothing of a Store that answers after it was given up, and can keep settings in it all the same', async () => {
    const kept = store();
    await kept.put('cfg.NO_ANSWER_SEC', '45');
    let answer = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow: SettingsStore = {
      put: kept.put,
      remove: kept.remove,
      list: (options) => asked.then(() => kept.list(options)),
    };
    const settings = new RunningSettings(loadConfig({}), silentLogger);
    await assert.rejects(settings.load(slow, 10), { code: 'TIMEOUT' });
    answer();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(settings.config.NO_ANSWER_SEC, 60);
    await settings.change('MAX_CALLS', '7');
    assert.equal((await open(kept)).config.MAX_CALLS, 7);
  });

  it('exports a file without secrets that a new server takes, all of it or nothing', async () => {
    const settings = await open(store(), { ADMIN_PASSWORD: 'hush-hush', SIP_REALM: 'example.com' });
    await settings.change('MAX_CALLS', '12');
    const file = settings.exported();
    assert.match(file, /SIP_REALM: example\.com/);
    assert.doesNotMatch(file, /hush|PASSWORD/);
    assert.deepEqual(await settings.imported(file, 'x.yaml'), []);
    const other = await open(store());
    const effects = (await other.imported(file, 'x.yaml')).map(({ name, effect }) => `${name} ${effect}`);
    assert.deepEqual(effects.sort(), ['MAX_CALLS now', 'SIP_REALM next-start']);
    await assert.rejects(other.imported('MAX_CALLS: 13\nDATA_DIR: /x\n', 'x.yaml'), {
      code: 'SETTING_EARLY',
    });
    assert.equal(other.config.MAX_CALLS, 12);
  });

  it('writes every default as it can be read again', () => {
    const { config } = loadConfig({});
    for (const name of Object.keys(SETTINGS) as SettingName[]) {
      const shown = showValue(config[name]);
      if (shown !== '') assert.deepEqual(parseSetting(name, shown), config[name], name);
    }
    for (const [name, text] of [
      ['SIP_LISTEN', 'udp:[::1]:5060,tls:10.0.0.1:5061'],
      ['ADVERTISE', '10.0.0.0/8=10.1.2.3'],
      ['MML_LISTEN', '[::1]:2323'],
    ] as const)
      assert.equal(showValue(parseSetting(name, text)), text);
  });
});
