import { AppError } from '../platform/errors.js';
import { RETCODES, type Retcode } from './report/retcodes.js';
import { type Bilingual, fillBilingual } from './text.js';

/** What fills the `{name}` places of a RETCODE sentence; a bilingual value goes into its own language. */
export type RetcodeArgs = Readonly<Record<string, string | number | Bilingual>>;

const pick = (args: RetcodeArgs, language: 'en' | 'zh') =>
  Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, typeof value === 'object' ? value[language] : value]),
  );

/** The sentence of a RETCODE in both languages, filled. */
export function retcodeText(retcode: Retcode, args: RetcodeArgs = {}): Bilingual {
  const template = RETCODES[retcode];
  return {
    en: fillBilingual(template, pick(args, 'en')).en,
    zh: fillBilingual(template, pick(args, 'zh')).zh,
  };
}

/** A command that cannot be carried out, with the RETCODE that the operator sees. */
export class MmlError extends AppError {
  readonly sentence: Bilingual;

  constructor(
    readonly retcode: Retcode,
    args: RetcodeArgs = {},
    cause?: unknown,
  ) {
    const sentence = retcodeText(retcode, args);
    super(`MML_${retcode}`, sentence.en, { cause });
    this.sentence = sentence;
  }
}

/** The console cannot start: its address or its admin socket is taken or cannot be used. */
export class ConsoleStartError extends AppError {
  constructor(message: string, cause?: unknown) {
    super('CONSOLE_START', message, { cause });
  }
}
