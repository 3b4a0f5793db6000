import type { SettingName } from '../../config/schema.js';
import type { RunningSetting, SettingChange } from '../../config/settings.js';
import { maskUserinfo } from '../../config/userinfo.js';
import { MmlError } from '../errors.js';
import { datedName } from '../exchange-files.js';
import { type Command, defineCommand, type ReportSpec, type Row } from '../registry/command.js';
import { nearest } from '../registry/nearest.js';
import { boolean, flag } from '../registry/param-types.js';
import { didYouMean } from '../registry/registry.js';
import { ORIGIN_WORDS } from '../report/words.js';
import { type Bilingual, text } from '../text.js';
import { fileReport, INPUT_FILE, OUTPUT_FILE, OVERWRITE } from './exchange-params.js';
import { SETTING_MEANINGS } from './setting-meanings.js';
import { CHANGED_KEY, KEY, NAMES, VALUE } from './setting-params.js';

const settingReport: ReportSpec = {
  name: 'settings',
  title: text('Setting', '配置项'),
  columns: [
    { key: 'key', title: text('Key', '配置项') },
    { key: 'value', title: text('Value', '当前值') },
    { key: 'origin', title: text('From', '来源'), words: ORIGIN_WORDS },
    { key: 'effect', title: text('A change takes effect', '修改生效时间') },
    { key: 'next', title: text('After the next start', '下次启动后的值') },
  ],
};

const detailReport: ReportSpec = {
  ...settingReport,
  name: 'setting',
  columns: [...settingReport.columns, { key: 'meaning', title: text('Meaning', '含义') }],
};

const changeReport: ReportSpec = {
  name: 'settingChanges',
  title: text('Setting changed', '已修改的配置项'),
  columns: [
    { key: 'key', title: text('Key', '配置项') },
    { key: 'value', title: text('Value', '值') },
    { key: 'effect', title: text('In force', '生效时间') },
  ],
};

const NOW = text('at once', '立即');
const LATER = text('at the next start (RST SERVICE)', '下次启动时（RST SERVICE）');

function settingRow(setting: RunningSetting): Row {
  const { name: key, value, origin, next, meaning, live } = setting;
  const bilingual = text(meaning, SETTING_MEANINGS[key] ?? meaning);
  return { key, value, origin, effect: live ? NOW : LATER, next, meaning: bilingual };
}

const changeRow = ({ name: key, value, effect }: SettingChange): Row => ({
  key,
  value: maskUserinfo(value),
  effect: effect === 'now' ? text('now', '立即') : LATER,
});

const listSettings = defineCommand({
  verb: 'LST',
  object: 'CFG',
  aliases: ['DSP CFG'],
  purpose: text(
    'Show the settings: values, where each comes from, and when a change takes effect; secrets are masked',
    '查询配置：当前值、来源及修改何时生效；敏感值不显示',
  ),
  params: {
    KEY: { ...KEY, purpose: text('Setting, or a part of its name', '配置项或其名称的一部分') },
    ALL: { type: flag('ALL'), purpose: text('All settings', '全部配置项'), keyword: true },
  },
  role: 'OPERATOR',
  reports: [settingReport, detailReport],
  examples: ['LST CFG', 'DSP CFG', 'LST CFG: KEY=LOG_LEVEL', 'LST CFG: KEY=MESSAGE'],
  handler({ services }, { KEY: key }) {
    const all = services.settings.list();
    const wanted = key?.toUpperCase();
    const exact = all.find(({ name }) => name === wanted);
    if (exact) return { sections: [{ report: detailReport, rows: [settingRow(exact)] }] };
    const found = all.filter(({ name }) => wanted === undefined || name.includes(wanted));
    if (found.length === 0) throw noSuchSetting(key ?? '');
    return { sections: [{ report: settingReport, rows: found.map(settingRow) }] };
  },
});

function noSuchSetting(name: string): MmlError {
  const hint = didYouMean(nearest(name.toUpperCase(), NAMES), 'LST CFG');
  // What is no name may hold a value.
  return new MmlError(4001, { what: text('setting', '配置项'), name: name.replace(/\W.*/s, '…'), hint });
}

/** What a change costs that is more than it seems. */
const CAUTIONS: Partial<Record<SettingName, Bilingual>> = {
  SIP_REALM: text(
    'passwords are stored for their realm: give every user its password anew after the next start, or take it back with RMV CFG',
    '密码按域保存：下次启动后须为每个用户重新设置密码，或用 RMV CFG 撤回',
  ),
};

const setSetting = defineCommand({
  verb: 'SET',
  object: 'CFG',
  aliases: ['MOD CFG'],
  purpose: text(
    'Set a setting: it is kept in the Store and, where it can change while running, in force at once',
    '修改配置项：保存到存储，可在线修改的立即生效',
  ),
  params: {
    KEY: CHANGED_KEY,
    VALUE,
    SAVE: {
      type: boolean,
      purpose: text('Keep it beyond the next start', '重启后仍然有效'),
      default: 'YES',
    },
  },
  role: 'ADMIN',
  reports: [changeReport],
  examples: [
    'SET CFG: KEY=NO_ANSWER_SEC, VALUE=45',
    'SET CFG KEY=LOG_LEVEL VALUE=info',
    'SET CFG: KEY=LOG_LEVEL, VALUE=debug, SAVE=NO',
  ],
  async handler({ services }, { KEY: key, VALUE: value, SAVE: save }) {
    if (!NAMES.includes(key.toUpperCase())) throw noSuchSetting(key);
    const change = await services.settings.change(key, value, save);
    const note = CAUTIONS[change.name];
    return { sections: [{ report: changeReport, rows: [changeRow(change)] }], ...(note && { note }) };
  },
});

const removeSetting = defineCommand({
  verb: 'RMV',
  object: 'CFG',
  purpose: text(
    'Forget what was set at the console: the default counts again',
    '删除已保存的配置项，恢复默认值',
  ),
  params: { KEY: { ...KEY, required: true } },
  role: 'ADMIN',
  reports: [changeReport],
  examples: ['RMV CFG: KEY=NO_ANSWER_SEC'],
  async handler({ services }, { KEY: key }) {
    if (!NAMES.includes(key.toUpperCase())) throw noSuchSetting(key);
    const change = await services.settings.forget(key);
    return { sections: [{ report: changeReport, rows: [changeRow(change)] }] };
  },
});

const saveSettings = defineCommand({
  verb: 'SAV',
  object: 'CFG',
  aliases: ['SAVE CFG'],
  purpose: text(
    'Keep what was set until the next start only (SET CFG with SAVE=NO, SET LOG without MODULE)',
    '保存仅在下次启动前有效的修改（SAVE=NO 的 SET CFG、不带 MODULE 的 SET LOG）',
  ),
  params: {},
  role: 'ADMIN',
  examples: ['SAV CFG', 'SAVE CFG'],
  async handler({ services }) {
    const names = await services.settings.save();
    const list = names.join(', ');
    return {
      note:
        names.length === 0
          ? text(
              'Nothing was waiting: what SET CFG sets is kept at once',
              '没有待保存的修改：SET CFG 的修改随即保存',
            )
          : text(`Kept: ${list}`, `已保存：${list}`),
    };
  },
});

const exportSettings = defineCommand({
  verb: 'EXP',
  object: 'CFG',
  purpose: text(
    'Write the settings that are not defaults, without secrets, as a settings file (YAML)',
    '导出非默认配置（不含敏感值）为配置文件（YAML）',
  ),
  params: { FILE: { ...OUTPUT_FILE, example: 'ims.yaml' }, OVERWRITE },
  role: 'ADMIN',
  reports: [fileReport],
  examples: ['EXP CFG', 'EXP CFG: FILE=ims.yaml, OVERWRITE=YES'],
  async handler({ services, console, clock }, { FILE: file, OVERWRITE: overwrite }) {
    const content = services.settings.exported();
    const name = file ?? datedName('settings', clock.now(), 'yaml');
    const written = await console.files.write(name, [content], overwrite);
    const rows = content.split('\n').filter((line) => /^\w/.test(line)).length;
    return { sections: [{ report: fileReport, rows: [{ ...written, rows }] }] };
  },
});

const importSettings = defineCommand({
  verb: 'IMP',
  object: 'CFG',
  purpose: text(
    'Set every setting of a settings file (YAML); when one of them may not be set, none is',
    '导入配置文件（YAML）；任一项不能设置时全部不生效',
  ),
  params: { FILE: { ...INPUT_FILE, example: 'ims.yaml' } },
  dangerous: text(
    'The settings of the file replace those of the server.',
    '文件中的配置将替换服务器的配置。',
  ),
  reports: [changeReport],
  examples: ['IMP CFG: FILE=ims.yaml', 'IMP CFG: FILE=ims.yaml, CONFIRM=YES'],
  async handler({ services, console }, { FILE: file }) {
    const changes = await services.settings.imported(await console.files.read(file), file);
    return { sections: [{ report: changeReport, rows: changes.map(changeRow) }] };
  },
});

/** Settings: LST, SET, RMV, SAV, EXP, IMP CFG. */
export const settingCommands: readonly Command[] = [
  listSettings,
  setSetting,
  removeSetting,
  saveSettings,
  exportSettings,
  importSettings,
];
