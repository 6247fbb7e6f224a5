// Reads what the project says to people, and reports words and shapes that it does not use: lint.js [PATH…].
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { TextlintKernel } from '@textlint/kernel';
import markdown from '@textlint/textlint-plugin-markdown';
import stopWords from 'textlint-rule-stop-words';
import terminology from 'textlint-rule-terminology';
import { extract } from './extract.js';
import { fillersIn } from './fillers.js';
import glossary, { readGlossary } from './rules/glossary.js';
import house from './rules/house.js';
import { options } from './options.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file) => readFileSync(path.join(root, file), 'utf8');
const kernel = new TextlintKernel();
const module = (m) => m.default?.default ?? m.default ?? m;
const terms = readGlossary(read('docs/glossary.md'));

/** rulesFor returns the rules for a document of one kind. Names in code have no sentences. */
function rulesFor(kind, document) {
  const rules = [{ ruleId: 'house', rule: house }];
  if (kind === 'name') return rules;
  rules.push({ ruleId: 'glossary', rule: glossary, options: { terms } });
  rules.push({ ruleId: 'terminology', rule: module(terminology), options: options.terminology });
  const words = fillersIn(document, options.notFillers);
  if (words.length > 0) rules.push({ ruleId: 'stop-words', rule: module(stopWords), options: { defaultWords: false, words } });
  return rules;
}

/** lintTexts returns the findings in the texts of one kind of one file, by line. */
export async function lintTexts(file, kind, texts) {
  const lines = [];
  const places = [];
  for (const t of texts) {
    if (kind !== 'name') lines.push('<!-- text -->', '');
    if (kind !== 'name') places.push(null, null);
    for (const line of t.lines) {
      lines.push(line.text);
      places.push(line);
    }
    if (kind !== 'name') lines.push('');
    if (kind !== 'name') places.push(null);
  }
  const document = lines.join('\n');
  const { messages } = await kernel.lintText(document, {
    filePath: `${file}!${kind}.md`, ext: '.md', plugins: [{ pluginId: 'markdown', plugin: module(markdown) }], rules: rulesFor(kind, document),
  });
  return messages.filter((m) => !isValue(m)).map((m) => {
    const place = places[m.loc.start.line - 1] ?? { line: 1, column: 1 };
    return { file, line: place.line, column: place.column + m.loc.start.column - 1, rule: m.ruleId, message: m.message };
  });
}

/** isValue reports whether the terminology rule found a word that only its case tells from the term: "sqlite", "json" and "id"
 * are values and names in code too. */
function isValue(m) {
  const [, said, term] = /“(.*)”, use “(.*)” instead/.exec(m.message) ?? [];
  return m.ruleId === 'terminology' && said?.toLowerCase() === term?.toLowerCase() && /^[a-z]+$|^[A-Z]+$/.test(said);
}

/** filesOf returns the files below the paths that git would keep, all when no path is given. */
function filesOf(paths) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...paths], { cwd: root, encoding: 'utf8' });
  return [...new Set(listed.split('\0'))].filter((f) => f && options.reads(f));
}

function textsOf(files) {
  const inGo = files.filter((f) => f.endsWith('.go'));
  const ran = spawnSync('go', ['run', '-C', path.join(root, 'tools/prose'), '.', root], { input: inGo.join('\n'), encoding: 'utf8', maxBuffer: 1 << 30 });
  if (ran.status !== 0) throw new Error(ran.stderr || String(ran.error));
  const texts = ran.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  for (const file of files) {
    if (!file.endsWith('.go')) texts.push(...extract(file, read(file)));
    const name = path.basename(file).replace(/\.\w+$/, '').replaceAll(/[_-]/g, ' ');
    if (file.endsWith('.go')) texts.push({ file, kind: 'name', lines: [{ line: 1, column: 1, text: name }] });
  }
  return texts;
}

export async function main(paths) {
  const files = filesOf(paths);
  if (files.length === 0) throw new Error('no file to read: ' + paths.join(' '));
  const groups = new Map();
  for (const t of textsOf(files)) {
    const key = `${t.file}!${t.kind}`;
    groups.set(key, [...groups.get(key) ?? [], t]);
  }
  const findings = [];
  for (const texts of groups.values()) findings.push(...await lintTexts(texts[0].file, texts[0].kind, texts));
  findings.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column);
  for (const f of findings) console.log(`${f.file}:${f.line}:${f.column}: ${f.message} (${f.rule})`);
  console.log(`prose: ${files.length} files, ${findings.length} findings`);
  return findings.length === 0 ? 0 : 1;
}

// Paths on the command line are relative to the current folder.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2).map((p) => path.relative(root, path.resolve(p)) || '.'));
}
