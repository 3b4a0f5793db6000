import type { Services } from '../services.js';
import type { Command } from './command.js';
import { lineContext } from './line-context.js';
import type { Registry } from './registry.js';
import { mayRun, type Rights } from './roles.js';

/** What Tab found for the text before the cursor. */
export interface Completion {
  /** The characters before the cursor that a candidate takes the place of. */
  readonly replaced: string;
  readonly candidates: readonly string[];
  /** Written after a candidate that is the only one. */
  readonly suffix: string;
}

/** Candidates shown at one time. */
const MAX_CANDIDATES = 100;
const NONE: Completion = { replaced: '', candidates: [], suffix: '' };

/** Completes verbs, objects, parameters, enumerated values and live identifiers; commands that `rights` do not let run are left out. */
export async function complete(
  registry: Registry,
  services: Services,
  rights: Rights,
  before: string,
): Promise<Completion> {
  const context = lineContext(registry, before);
  switch (context.stage) {
    case 'word': {
      const words = [...registry.suggest(context.words, context.partial)]
        .filter(([, commands]) => commands.some((command) => mayRun(rights, command)))
        .map(([word]) => word);
      const params = context.command ? paramCandidates(context.command, new Set()) : [];
      return offer(context.partial, [...words, ...params], before);
    }
    case 'param':
      return offer(context.partial, paramCandidates(context.command, context.used), before);
    case 'value': {
      const spec = context.command.params[context.name]!;
      const live = spec.suggest && !spec.secret ? await spec.suggest(services, context.partial) : [];
      const quote = context.quoted ? '"' : '';
      const found = [...(spec.type.values ?? []), ...live].map((value) => quoteLive(value, quote));
      return { ...offer(quote + context.partial, found, before), suffix: '' };
    }
    case 'lost':
      return NONE;
  }
}

/** A value that a bare token cannot hold is offered in quotes. */
function quoteLive(value: string, quote: string): string {
  const needsQuotes = quote !== '' || /[\s,;&"\\]/.test(value);
  return needsQuotes ? `"${value.replace(/["\\]/g, '\\$&')}"` : value;
}

function paramCandidates(command: Command, used: ReadonlySet<string>): string[] {
  return Object.entries(command.params).flatMap(([name, spec]) => {
    if (used.has(name)) return [];
    if (!spec.keyword) return [`${name}=`];
    const words = [...(spec.type.values ?? [])];
    return words.includes(name) ? words : [...words, `${name}=`];
  });
}

function offer(partial: string, words: readonly string[], before: string): Completion {
  const fits = (word: string) => word.toUpperCase().startsWith(partial.toUpperCase());
  const candidates = [...new Set(words)].filter(fits).sort().slice(0, MAX_CANDIDATES);
  const only = candidates.length === 1 ? candidates[0]! : undefined;
  const suffix = only === undefined || only.endsWith('=') ? '' : ' ';
  return { replaced: before.slice(before.length - partial.length), candidates, suffix };
}
