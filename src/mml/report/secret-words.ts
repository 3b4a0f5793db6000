import { SETTINGS } from '../../config/schema.js';

type Declared = { readonly secret?: true | 'url' };

const SECRET = Object.entries(SETTINGS as Record<string, Declared>).flatMap(([name, { secret }]) =>
  secret ? [name] : [],
);

/** Whether this names a setting whose value may be shown. What nobody knows may be a secret one, mistyped. */
export function isOpenSetting(name: string): boolean {
  const known = name.toUpperCase();
  return Object.hasOwn(SETTINGS, known) && !SECRET.includes(known);
}

const PASSWORD = /\b\w*(?:PASS|PWD|SECRET|TOKEN|HA1)\w*\s*=/i;
const SECRET_SETTING = new RegExp(`\\b(?:${SECRET.join('|')})\\b[\\s"',;:=]*(?=\\w)`, 'i');
const VALUE = /\bVAL\w*\s*=/gi;
const KEY = /\bKEY\s*=\s*"?(\w*)/gi;
const USERINFO = /:\/\/(?=\S*@)/;

/** Whether a text has a URL in it with a name or password. */
export const hasUserinfo = (text: string): boolean => USERINFO.test(text);

/** Where in text that may not even be a command the first thing begins that may be a secret; undefined when there is none. */
export function secretStart(text: string): number | undefined {
  const found = [PASSWORD, SECRET_SETTING, USERINFO].map((pattern) => pattern.exec(text));
  const value = [...text.matchAll(VALUE)].find(({ index }) => !isOfOpenSetting(text, index));
  const starts = [...found, value].flatMap((match) => (match ? [match.index + match[0].length] : []));
  return starts.length === 0 ? undefined : Math.min(...starts);
}

/** Whether the command around a place sets a setting whose value may be shown. */
function isOfOpenSetting(text: string, at: number): boolean {
  const end = text.indexOf(';', at);
  const command = text.slice(text.lastIndexOf(';', at) + 1, end < 0 ? undefined : end);
  const keys = [...command.matchAll(KEY)].map(([, name = '']) => name);
  return keys.length > 0 && keys.every(isOpenSetting);
}
