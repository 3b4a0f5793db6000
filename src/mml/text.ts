import { fillText } from '../platform/fill-text.js';

export { fillText } from '../platform/fill-text.js';

/** Languages of the console. */
export const LANGUAGES = ['EN', 'ZH'] as const;
export type Language = (typeof LANGUAGES)[number];

/** A text in both languages; every text that an operator may see is one of these. */
export interface Bilingual {
  readonly en: string;
  readonly zh: string;
}

/** Makes a bilingual text. */
export const text = (en: string, zh: string): Bilingual => ({ en, zh });

/** The text in the language asked for. */
export const inLanguage = (value: Bilingual, language: Language): string =>
  language === 'ZH' ? value.zh : value.en;

/** Both languages filled alike. */
export function fillBilingual(
  template: Bilingual,
  args: Readonly<Record<string, string | number>>,
): Bilingual {
  return { en: fillText(template.en, args), zh: fillText(template.zh, args) };
}
