// A textlint rule that reports the words that docs/glossary.md replaces.
import { kindOf, mask } from '../text.js';

/** readGlossary returns what the last column of the glossary's table forbids. */
export function readGlossary(markdown) {
  const rows = markdown.split('\n').filter((line) => line.startsWith('| ')).slice(2);
  return rows.flatMap((row) => {
    const [, word, , variants] = row.split('|').map((cell) => cell.trim());
    return variants.split(',').map((v) => v.trim()).filter(Boolean).map((variant) => ({ word, variant }));
  });
}

export default function glossary(context, { terms }) {
  const { Syntax, RuleError, report, getSource } = context;
  if (kindOf(context.getFilePath()) === 'name') return {};
  const patterns = terms.map(({ word, variant }) => ({
    word, regexp: new RegExp(`\\b${variant.replaceAll(/\s+/g, '\\s+')}\\b`, 'gi'),
  }));
  const check = (node) => {
    const text = mask(node, getSource(node));
    for (const { word, regexp } of patterns) {
      for (const found of text.matchAll(regexp)) {
        report(node, new RuleError(`“${found[0].replaceAll(/\s+/g, ' ')}”: the glossary's word is “${word}”`, { index: found.index }));
      }
    }
  };
  return { [Syntax.Paragraph]: check, [Syntax.Header]: check, [Syntax.TableCell]: check };
}
