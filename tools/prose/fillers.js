// The dictionary of textlint-rule-stop-words: fillers, buzzwords and clichés.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const rule = createRequire(import.meta.url).resolve('textlint-rule-stop-words');
const dictionary = path.join(path.dirname(rule), '../dict.txt');
const entries = readFileSync(dictionary, 'utf8').split('\n').map((line) => line.trim().split(/\s*>\s*/)).filter(([word]) => word);

/**
 * fillersIn returns the entries that a document has. The rule makes a regular expression of each entry for each sentence;
 * the few that can match take seconds for all files, the whole dictionary takes minutes.
 */
export function fillersIn(document, exclude) {
  const text = document.toLowerCase().replaceAll(/[’‘]/g, "'");
  return entries.filter(([word]) => text.includes(word.toLowerCase()) && !exclude.includes(word));
}
