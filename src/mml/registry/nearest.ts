/** Words of `candidates` that are near to `word`, nearest first: same beginning, or at most two slips away. */
export function nearest(word: string, candidates: Iterable<string>, limit = 3): string[] {
  const found: { candidate: string; distance: number }[] = [];
  for (const candidate of candidates) {
    const isPrefix = word.length >= 2 && candidate.startsWith(word);
    const distance = isPrefix ? 0.5 : editDistance(word, candidate);
    if (distance <= Math.min(2, Math.max(1, Math.floor(word.length / 2))))
      found.push({ candidate, distance });
  }
  return found
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, limit)
    .map((entry) => entry.candidate);
}

/** Levenshtein distance; words that differ in length by more than two are not measured. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY;
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}
