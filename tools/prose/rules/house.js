// A textlint rule that reports the words and the shapes of words.js.
import { shapes, words } from '../words.js';
import { kindOf, mask, sentenceAt } from '../text.js';

const patterns = [...words, ...shapes].map((w) => ({
  ...w,
  first: w.match.source.startsWith('^'), // Only the beginning of a text counts.
  regexp: new RegExp(w.match.source, w.caseSensitive ? 'g' : 'gi'),
}));

export default function house(context) {
  const { Syntax, RuleError, report, getSource } = context;
  const kind = kindOf(context.getFilePath());
  const applying = patterns.filter((p) => !p.kinds || p.kinds.includes(kind));
  let begins = true; // The next paragraph is the first one of its text.
  const check = (node) => {
    const text = mask(node, getSource(node));
    for (const p of applying) {
      if (p.first && !begins) continue;
      for (const found of text.matchAll(p.regexp)) {
        if (p.unless?.test(sentenceAt(text, found.index))) continue;
        const said = found[0].replaceAll(/\s+/g, ' ').trim();
        report(node, new RuleError(`“${said}”: write ${p.use}`, { index: found.index }));
      }
    }
    begins = false;
  };
  return {
    [Syntax.Html]: () => { begins = true; },
    [Syntax.Paragraph]: check,
    [Syntax.Header]: check,
    [Syntax.TableCell]: check,
  };
}
