/** What a feature code does. */
export const CODE_ACTIONS = [
  'FWDALL_ON',
  'FWDALL_OFF',
  'FWDBUSY_ON',
  'FWDBUSY_OFF',
  'FWDNOANS_ON',
  'FWDNOANS_OFF',
  'FWDUNREACH_ON',
  'FWDUNREACH_OFF',
  'FWD_OFF',
  'DND_ON',
  'DND_OFF',
  'PICKUP_GROUP',
  'PICKUP',
] as const;
export type CodeAction = (typeof CODE_ACTIONS)[number];

/** Codes by action. `N` stands for a number; an empty code is switched off. */
export type CodeTable = Readonly<Record<CodeAction, string>>;

/** As 3GPP TS 22.030 has them on mobile phones, and as PBXs have the rest. */
export const DEFAULT_CODES: CodeTable = {
  FWDALL_ON: '*21*N#',
  FWDALL_OFF: '#21#',
  FWDBUSY_ON: '*67*N#',
  FWDBUSY_OFF: '#67#',
  FWDNOANS_ON: '*61*N#',
  FWDNOANS_OFF: '#61#',
  FWDUNREACH_ON: '*62*N#',
  FWDUNREACH_OFF: '#62#',
  FWD_OFF: '##002#',
  DND_ON: '*78',
  DND_OFF: '*79',
  PICKUP_GROUP: '*8',
  PICKUP: '**N',
};

/** Actions whose code holds a number. */
const WITH_NUMBER: ReadonlySet<CodeAction> = new Set([
  'FWDALL_ON',
  'FWDBUSY_ON',
  'FWDNOANS_ON',
  'FWDUNREACH_ON',
  'PICKUP',
]);

/** A code as it was dialled. */
export interface DialledCode {
  readonly action: CodeAction;
  /** In place of `N`; absent in a code without. */
  readonly argument?: string;
}

/** Whether a text may be the code of an action; `N` stands in it exactly when the action needs a number. */
export function isCode(action: CodeAction, code: string): boolean {
  if (code === '') return true;
  return WITH_NUMBER.has(action)
    ? /^[*#][0-9*#]{0,14}N[0-9*#]{0,14}$/.test(code)
    : /^[*#][0-9*#]{1,15}$/.test(code);
}

/**
 * The code that was dialled, if it is one: exact codes first, then those with a number, the longest beginning first. A phone
 * may leave the last `#` out, which many take as the key to dial.
 */
export function matchCode(table: CodeTable, dialled: string): DialledCode | undefined {
  if (!/^[*#]/.test(dialled)) return undefined;
  const codes = CODE_ACTIONS.map((action) => ({ action, code: table[action] })).filter(
    ({ code }) => code !== '',
  );
  const exact = codes.find(({ code }) => code === dialled || code === `${dialled}#`);
  if (exact) return { action: exact.action };
  const open = codes
    .filter(({ code }) => code.includes('N'))
    .sort((x, y) => y.code.indexOf('N') - x.code.indexOf('N'));
  for (const { action, code } of open) {
    const [before = '', after = ''] = code.split('N');
    const argument = argumentOf(dialled, before, after) ?? argumentOf(`${dialled}#`, before, after);
    if (argument !== undefined) return { action, argument };
  }
  return undefined;
}

function argumentOf(dialled: string, before: string, after: string): string | undefined {
  if (!dialled.startsWith(before) || !dialled.endsWith(after)) return undefined;
  const argument = dialled.slice(before.length, dialled.length - after.length);
  return /^[A-Za-z0-9+._-]{1,64}$/.test(argument) ? argument : undefined;
}
