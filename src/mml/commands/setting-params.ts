import { SETTINGS } from '../../config/schema.js';
import type { ParsedParam } from '../grammar/command-parser.js';
import type { ParamSpec } from '../registry/command.js';
import { string } from '../registry/param-types.js';
import { hasUserinfo, isOpenSetting } from '../report/secret-words.js';
import { text } from '../text.js';

/** Names of all settings. */
export const NAMES = Object.keys(SETTINGS);

export const KEY = {
  type: string({ max: 64 }),
  purpose: text('Setting', '配置项'),
  example: 'LOG_LEVEL',
  suggest: async (_services, prefix) =>
    NAMES.filter((name) => name.startsWith(prefix.toUpperCase())).slice(0, 40),
} as const satisfies ParamSpec;

const given = (params: readonly ParsedParam[], wanted: string): string =>
  params.find(({ name }) => name === wanted)?.value.text ?? '';

/** A setting that gets a value. */
export const CHANGED_KEY = {
  ...KEY,
  required: true,
  // `KEY=NAME=value`.
  secretWith: (params: readonly ParsedParam[]) => /\W/.test(given(params, 'KEY')),
} as const satisfies ParamSpec;

export const VALUE = {
  type: string({ max: 2000 }),
  purpose: text('Value, as in the settings file', '值，写法同配置文件'),
  required: true,
  secretWith: (params: readonly ParsedParam[]) =>
    !isOpenSetting(given(params, 'KEY')) || hasUserinfo(given(params, 'VALUE')),
  example: 'debug',
} as const satisfies ParamSpec;
