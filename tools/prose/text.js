// What the rules share: the kind of a text, and a paragraph's words without its code.

/** kindOf returns the kind that lint.js put at the end of a text's name: "collector/log.go!log.md" is a log message. */
export function kindOf(path) {
  return /!([a-z]+)\.md$/.exec(path)?.[1] ?? 'page';
}

/** mask returns the source of a node with an underscore for every character of code, of HTML and of addresses. */
export function mask(node, source) {
  const chars = [...source].length === source.length ? source.split('') : Array.from({ length: source.length }, (_, i) => source[i]);
  const hide = ([from, to]) => {
    for (let i = Math.max(0, from - node.range[0]); i < to - node.range[0]; i++) {
      if (chars[i] !== '\n') chars[i] = '_';
    }
  };
  const visit = (n) => {
    if (n.type === 'Code' || n.type === 'Html' || n.type === 'HtmlInline') return hide(n.range);
    if (n.type === 'Link' || n.type === 'Image') {
      const last = n.children?.at(-1);
      if (last) hide([last.range[1], n.range[1]]);
      else if (n.type === 'Link') hide(n.range);
    }
    n.children?.forEach(visit);
  };
  node.children?.forEach(visit);
  return chars.join('');
}

/** sentenceAt returns the sentence around an index of a text. */
export function sentenceAt(text, index) {
  const from = Math.max(text.lastIndexOf('. ', index), text.lastIndexOf('.\n', index), -1) + 1;
  const to = text.slice(index).search(/[.!?](?:\s|$)/);
  return text.slice(from, to < 0 ? undefined : index + to);
}
