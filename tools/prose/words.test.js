// Each rule reports a text made to break it, and takes the plain text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lintTexts } from './lint.js';
import { shapes, words } from './words.js';

const kindsOf = (rule) => rule.kinds ?? ['page', 'comment', 'doc', 'log', 'help', 'metric', 'error', 'text', 'name'];
const say = async (kind, ...lines) => (await lintTexts('some/file.go', kind,
  [{ lines: lines.map((text, i) => ({ line: 10 + i, column: 5, text })) }])).map((f) => ({ ...f, message: f.message.replaceAll(/\s+/g, ' ') }));
const of = (findings, rule) => findings.filter((f) => f.message.endsWith(`write ${rule.use}`));

for (const rule of [...words, ...shapes]) {
  test(`${rule.name} reports a text made to break it`, async () => {
    for (const kind of kindsOf(rule)) {
      assert.notEqual(of(await say(kind, rule.bad), rule).length, 0, `${kind}: ${rule.bad}`);
    }
  });
  test(`${rule.name} takes the plain text`, async () => {
    for (const kind of kindsOf(rule)) {
      assert.deepEqual(of(await say(kind, rule.good), rule), [], `${kind}: ${rule.good}`);
    }
  });
}

const others = [
  { rule: 'glossary', bad: 'The detection time is short.', good: 'The detection latency is short.' },
  { rule: 'glossary', bad: 'It waits one down time.', good: 'It waits one heartbeat timeout, `service_down_time`.' },
  { rule: 'terminology', bad: 'The source is on Github.', good: 'The source is on GitHub, and writes json.' },
  { rule: 'stop-words', bad: 'Basically, the poll ends in the course of a second.', good: 'The poll ends within a second.' },
];
for (const { rule, bad, good } of others) {
  test(`${rule} reports: ${bad}`, async () => {
    assert.ok((await say('page', bad)).some((f) => f.rule === rule));
    assert.deepEqual(await say('page', good), []);
  });
}

test('code is not read', async () => {
  assert.deepEqual(await say('page', 'The metric `nobody held` and [a page](https://example.com/held/nobody).', '', '    nobody held'), []);
});

test('a phrase is found over the end of a line, at its place', async () => {
  const findings = await say('comment', 'The loop waits for', 'ever.');
  assert.deepEqual(findings.map(({ file, line, column }) => ({ file, line, column })), [{ file: 'some/file.go', line: 10, column: 20 }]);
});

test('a lock may be held', async () => {
  assert.deepEqual(await say('comment', 'The mutex is held by the caller.'), []);
  assert.equal((await say('comment', 'The alert is held. The mutex is another.')).length, 1);
});

test('only the first paragraph of a doc comment opens it', async () => {
  assert.deepEqual(await say('doc', 'Members returns the members.', '', 'Members gives the rest.'), []);
});
