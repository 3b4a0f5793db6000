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

/** Puts `args` in the place of `{name}` in a text; names without a value stay as they are. */
export function fillText(template: string, args: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(args[name] ?? whole));
}

/** Both languages filled alike. */
export function fillBilingual(
  template: Bilingual,
  args: Readonly<Record<string, string | number>>,
): Bilingual {
  return { en: fillText(template.en, args), zh: fillText(template.zh, args) };
}
