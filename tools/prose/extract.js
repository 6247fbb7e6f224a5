// What files that are not Go say to people, in the form that main.go prints: {file, kind, lines: [{line, column, text}]}.
import { isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';

const spoken = /^(?:summary|description|message|title|text)$/;

/** extract returns the texts of one file, by its name. */
export function extract(file, content) {
  if (file.endsWith('.md')) return [text(file, 'page', content.split('\n').map((t, i) => [i + 1, 1, t]))];
  if (/\.ya?ml$/.test(file)) return [...comments(file, content), ...yamlTexts(file, content)];
  if (/\.(?:html|tpl)$/.test(file)) return [html(file, content)];
  if (/\.(?:js|css)$/.test(file)) return script(file, content);
  if (/^dashboards\/.*\.json$/.test(file)) return panels(file, content);
  return comments(file, content);
}

const text = (file, kind, lines) => ({ file, kind, lines: lines.map(([line, column, t]) => ({ line, column, text: t })) });

// comments returns the comments that begin with # in shell scripts, Makefiles, YAML and testscripts.
function comments(file, content) {
  const texts = [];
  let lines = [];
  const end = () => { if (lines.length) texts.push(text(file, 'comment', lines)); lines = []; };
  const script = file.endsWith('.txtar') ? content.split(/^-- /m)[0] : content;
  script.split('\n').forEach((line, i) => {
    const found = /^(\s*#+ ?)(?!!)(.*)$/.exec(line) ?? /^(.*\s##? )(.*)$/.exec(line);
    if (!found) return end();
    if (!/^\s*#/.test(line)) end();
    lines.push([i + 1, found[1].length + 1, found[2]]);
  });
  end();
  return texts;
}

// yamlTexts returns annotations, descriptions and titles.
function yamlTexts(file, content) {
  const lineCounter = new LineCounter();
  const texts = [];
  for (const document of parseAllDocuments(content, { lineCounter })) {
    visit(document, {
      Pair(_, pair) {
        if (!isScalar(pair.key) || !spoken.test(pair.key.value) || !isScalar(pair.value) || typeof pair.value.value !== 'string') return;
        const { line, col } = lineCounter.linePos(pair.value.range[0]);
        texts.push(text(file, 'page', pair.value.value.split('\n').map((t) => [line, col, t])));
      },
    });
  }
  return texts;
}

// html returns a page with spaces for what is no text: tags, templates, styles and scripts.
function html(file, content) {
  const blank = (s) => s.replaceAll(/[^\n]/g, ' ');
  const shown = content.replaceAll(/<(script|style)\b[\s\S]*?<\/\1>/g, blank).replaceAll(/\{\{[\s\S]*?\}\}/g, blank)
    .replaceAll(/<[^>]*>/g, (tag) => blank(tag).replaceAll(/ /g, '\u00a0'));
  return text(file, 'page', shown.split('\n').map((t, i) => [i + 1, 1, t.replaceAll('\u00a0', ' ').trim()]));
}

// script returns the comments, and the strings that look like sentences.
function script(file, content) {
  const texts = [];
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;
  for (const found of content.matchAll(token)) {
    const line = content.slice(0, found.index).split('\n').length;
    const isComment = found[0].startsWith('/');
    const said = found[0].replaceAll(/^\/\*+|\*+\/$|^\/\/ ?|^['"`]|['"`]$/g, '').split('\n').map((t) => t.replace(/^\s*\* ?/, ''));
    if (!isComment && !/[a-z]+ [a-z]+ [a-z]+/.test(said.join(' '))) continue;
    const last = texts.at(-1);
    if (isComment && last?.kind === 'comment' && last.lines.at(-1).line === line - 1) {
      said.forEach((t, i) => last.lines.push({ line: line + i, column: 1, text: t }));
      continue;
    }
    texts.push(text(file, isComment ? 'comment' : 'text', said.map((t, i) => [line + i, 1, t])));
  }
  return texts;
}

// panels returns titles and descriptions of Grafana's dashboards.
function panels(file, content) {
  return content.split('\n').flatMap((line, i) => {
    const found = /^\s*"(?:title|description)": ("(?:[^"\\]|\\.)*")/.exec(line);
    return found ? [text(file, 'page', [[i + 1, line.indexOf(found[1]) + 1, JSON.parse(found[1])]])] : [];
  });
}
