import type { ParamSpec } from '../registry/command.js';
import { string } from '../registry/param-types.js';
import { text } from '../text.js';

/** What something that an operator makes is for. */
export const NOTE = {
  type: string({ min: 0, max: 128 }),
  purpose: text('What it is for', '说明'),
  example: '"the night shift"',
} as const satisfies ParamSpec;
