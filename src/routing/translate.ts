import { BoundedPattern } from './bounded-pattern.js';

export const TRANSLATION_KINDS = ['PREFIX', 'REGEX'] as const;

/** How a number becomes another one at the border to a trunk. */
export interface TranslationRule {
  /** IN: of calls from the trunk; OUT: of calls to it. */
  readonly direction: 'IN' | 'OUT';
  /** Which of the two numbers. */
  readonly of: 'CALLED' | 'CALLER';
  readonly kind: (typeof TRANSLATION_KINDS)[number];
  /** Beginning of the number, or a pattern of the whole of it (`BoundedPattern`). */
  readonly match: string;
  /** In place of the prefix, or of the whole number with `$1` to `$9` for the pattern's groups. */
  readonly replace: string;
}

/** Compiled patterns by their text: they come from the tables of trunks and routes, which are small. */
const compiled = new Map<string, BoundedPattern>();
const MAX_COMPILED = 5000;

/** The compiled pattern. Throws PatternError. */
export function patternOf(source: string): BoundedPattern {
  let pattern = compiled.get(source);
  if (!pattern) {
    pattern = new BoundedPattern(source);
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    compiled.set(source, pattern);
  }
  return pattern;
}

/** The number after the first rule that fits it, and the place of that rule from 1; the number itself when none does. */
export function translate(
  number: string,
  rules: readonly TranslationRule[],
  direction: TranslationRule['direction'],
  of: TranslationRule['of'],
): { readonly number: string; readonly rule?: number } {
  for (const [i, rule] of rules.entries()) {
    if (rule.direction !== direction || rule.of !== of) continue;
    const result = apply(number, rule);
    if (result !== undefined) return { number: result, rule: i + 1 };
  }
  return { number };
}

function apply(number: string, { kind, match, replace }: TranslationRule): string | undefined {
  if (kind === 'PREFIX') return number.startsWith(match) ? replace + number.slice(match.length) : undefined;
  const groups = patternOf(match).match(number);
  return groups && replace.replace(/\$([1-9])/g, (_, digit: string) => groups[Number(digit) - 1] ?? '');
}
