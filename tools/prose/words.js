// The words that this project does not use. Each has a sentence that breaks it and one that says the same in plain words;
// words.test.js checks both.

// About: kinds limits a word to some texts. Kinds are page (Markdown, pages, dashboards), comment, doc (a doc comment), log,
// help, metric, error, text (any other string), and name (the words of a name in code).

const prose = ['page', 'comment', 'doc', 'log', 'help', 'metric', 'error', 'text'];
const things = 'members?|clients?|servers?|sessions?|process(?:es)?|nodes?|hosts?|programs?|brokers?|peers?|drivers?|sources?|callers?|waiters?|exporters?|pollers?|scrapes?|agents?|services?|groups?|watchers?|readers?|alerts?';

export const words = [
  // Pronouns for people, where a thing is meant.
  { name: 'nobody-name', match: /\b(?:nobody|somebody|everybody|anybody)\b(?= \w)|(?<=\w )(?:nobody|somebody|everybody|anybody)\b/, kinds: ['name'],
    use: 'name who or what: "NoMember"', bad: 'Test Nobody Dies', good: 'nobody' }, // Alone it is the user of Unix.
  { name: 'nobody', match: /\b(?:nobody|somebody|everybody|anybody)\b/, unless: /\b(?:user|root|account)\b/i, kinds: prose, use: 'name who or what: "no member", "each client"',
    bad: 'Nobody dies of it.', good: 'The outage never counts as a death.' },
  { name: 'whoever', match: /\b(?:whoever|whomever|whosoever|whose ever|whatever\s+(?:is|was)\s+there)\b/, use: 'name the subject: "the first caller"',
    bad: 'There is little time for whoever came first.', good: 'The first waiter may give up sooner.' },
  { name: 'who-is', match: new RegExp(`\\b(?:${things})\\s+who\\b|(?<!\\b(?:person|people|operators?|users?|engineers?|admins?|administrators?|maintainers?|one|someone|anyone|see|know|says?|tells?|about)\\s)\\bwho\\s+(?:is|are|was|were)\\s+(?:up|down|dead|alive|there|in service|late|missing|unknown|neither|not)\\b`),
    use: '"which member", "a member that"', bad: 'In service is who is neither disabled nor forced down.', good: 'A member that is up stays up.' },
  { name: 'who-died', match: /\bwho\s+(?:died|dies|lives|lived|joins|joined|leaves|beats|holds|held|loses|lost|takes|waits|asks|reads|polls|scrapes)\b/,
    use: '"the members that died", "the first caller"', bad: 'The tracker decides who died.', good: 'The tracker decides which members died.' },
  { name: 'he', match: /\b(?:he|him|his|himself|she|her|hers)\b/, use: '"it", or the name of the program',
    bad: 'A client that floods the server loses his own connections first.', good: 'The server closes its own connections.' },

  // Phrases that a reader has to translate.
  { name: 'for-ever', match: /\bfor\s+ever\b/, use: '"without limit", "until the exporter stops"', bad: 'The loop waits for ever.', good: 'The loop waits without limit.' },
  { name: 'may-well', match: /\b(?:may|might|can)\s+well\b/, use: '"can", "often"', bad: 'A poll may well be slow.', good: 'A poll can be slow.' },
  { name: 'knows-nothing-of', match: /\b(?:know|knows|knew|known)\s+nothing\s+(?:of|about)\b|\bnothing\s+(?:is|was)\s+known\b/, use: '"does not import", "has no data for"',
    bad: 'Nothing is known of group compute.', good: 'No data for group compute.' },
  { name: 'those-of', match: /\bthose\s+of\b/, use: 'repeat the noun: "the labels of"', bad: 'The labels are those of the rules.', good: 'The labels are the same as the labels of the rules.' },
  { name: 'tells-of', match: /\b(?:tell|tells|told|says?|said|asked?|asks)\s+of\b/, use: '"reports", "announces"', bad: 'The backend tells of a change.', good: 'The backend reports a change.' },
  { name: 'of-ours', match: /\bof\s+(?:ours|theirs|its\s+own\s+accord|mine)\b/, use: '"our", or the owner\'s name', bad: 'This is an error of ours.', good: 'This is our error.' },
  { name: 'is-no-of', match: /(?<!\b(?:there|here)\s+)\b(?:is|are|was|were)\s+no\s+(?:error|fault|death|outage|member|leave|failure|news|sign|secret|answer|change)\b/, use: '"is not a"',
    bad: 'That is no error.', good: 'That is not an error.' },
  { name: 'double-negative', match: /\b(?:not|never|cannot|can't)\s+(?:without|un(?:known|likely|usual|common|able|safe|seen|read)|dis(?:abled|similar)|nothing|none)\b|\b(?:no|nothing|none)\b(?:\s+\w+){0,2}\s+(?:that|which)\s+(?:is|are|does|do|has|have|was|were|did|can|could)(?:\s*not|n't|not)\b/,
    use: 'the positive', bad: 'Nothing that is not configured is read.', good: 'Only what is configured is read.' },
  { name: 'be-had', match: /\bto\s+be\s+had\b/, use: '"available"', bad: 'A cluster was not to be had.', good: 'A cluster was not available.' },
  { name: 'than-nothing', match: /\bthan\s+nothing\b/, use: '"must be positive"', bad: 'The interval must be longer than nothing.', good: 'The interval must be positive.' },
  { name: 'stands-there', match: /\b(?:stands?|stood)\s+(?:there|written)\b/, use: '"is given", "stops"', bad: 'The key stands there twice.', good: 'The key is given twice.' },
  { name: 'goes-on', match: /\b(?:go|goes|went|gone|going)\s+on\b/, use: '"continue"', bad: 'The old configuration goes on.', good: 'The old configuration stays in use.' },
  { name: 'is-what', match: /\b(?:is|are)\s+what\s+(?:an?|the)\s+\w+\s+(?:is|are)\b/, use: 'the subject first', bad: 'Held is what an alert is while its source is lost.', good: 'An alert is retained while its source is lost.' },
  { name: 'archaic', match: /\b(?:whereof|thereof|wherein|therein|hereby|whereby|hence|thence|whence|henceforth|albeit|lest|anew|aught|naught|nought|ought\s+to|shall)\b/, use: 'a common word',
    bad: 'A day begins anew.', good: 'A new day begins.' },

  // Private vocabulary, in prose and in names.
  { name: 'held', match: /\b(?:held|hold\s+back|holds\s+back)\b/, unless: /\b(?:lock|locks|locked|mutex|mu)\b/i, kinds: prose,
    use: '"in grace", "retained", "taken", "kept"', bad: 'Held alerts stay.', good: 'The caller has held the lock since.' },
  { name: 'held-name', match: /\bheld\b/, kinds: ['name'], use: '"inGrace", "retained", "taken"', bad: 'held', good: 'retained' },
  { name: 'judge', match: /\bjudg(?:e|es|ed|ing|e?ments?)\b/, use: '"verdict", "compare", "decide"', bad: 'The tracker judges each row.', good: 'The tracker decides the state of each row.' },
  { name: 'metaphor', match: /\b(?:birds?|crowds?|ledgers?|testimony|testimonies|census|enroll?(?:s|ed|ing)?|enrol|fates?|actors?|undergo(?:es)?|underwent|liars?|secretive|hearings?|seats?|resurrect(?:s|ed|ion)?|graveyards?)\b/,
    use: 'the field\'s word: "runner", "connection limit", "state", "scenario"', bad: 'The ledger has a census of birds.', good: 'The state has the number of runners.' },
  { name: 'flight', match: /\b(?:flights?|flies|flown)\b/, unless: /\b(?:in[ -]?flight)\b/i, use: '"poll in flight"', bad: 'A flight lands.', good: 'Callers join the poll in flight.' },
  { name: 'hub', match: /\bhubs?\b/, use: '"broadcast"', bad: 'The hub pushes events.', good: 'The broadcast pushes events.' },
  { name: 'lab', match: /\blabs?\b/, use: '"environment"', bad: 'The lab starts a server.', good: 'The environment starts a server.' },
  { name: 'stage-name', match: /\b(?:stage|stages|flight|hub|book|sight|sights|eyes|seat|hunt|pursue|lie|lies|truth|rig|relay|witness|verdicts?OfJudge)\b/i, kinds: ['name'], use: '"run", "builder", "observation"', bad: 'stage', good: 'run' },
  { name: 'book', match: /\bBook\b/, use: '"Builder"', caseSensitive: true, bad: 'A Book makes alerts.', good: 'A Builder makes alerts.' },
  { name: 'roll', match: /\b(?:the|a|its|each)\s+rolls?\b/, use: '"roster", "order"', bad: 'The roll has all names.', good: 'The roster has all names; roll back the release.' },
];

// Rules on the shape of one kind of text.
const verbs = 'prints?|serves?|joins?|removes?|shows?|reads?|writes?|says|tells|gives|lists?|checks|reports|posts|polls|waits|runs|starts|stops|simulates|watches|adds|sets|measures';
export const shapes = [
  { name: 'doc-opening', kinds: ['doc'], match: /^(?:\w+\.)?\w+\s+(?:gives?|says?|tells?|is\s+who)\b/, use: 'Go\'s manner: "Members returns …", "A Driver reads …"',
    bad: 'Members gives the members of a group.', good: 'Members returns the members of a group.' },
  { name: 'doc-subject', kinds: ['doc'], match: /^(?:Whoever|What|That which|Who)\b/, use: 'the name as subject', bad: 'What the poll found.', good: 'A Poll has what a source answered.' },
  { name: 'log-case', kinds: ['log'], match: /^\s*[a-z]/, use: 'an upper-case first letter', caseSensitive: true, bad: 'member died', good: 'Member died' },
  { name: 'log-value', kinds: ['log'], match: /%[sdvqwxf]|\.\s*$/, use: 'attributes for values, and no final full stop', bad: 'Member %s died.', good: 'Member died' },
  { name: 'help-imperative', kinds: ['help'], match: new RegExp(`^(?:${verbs.replaceAll('?', '')})\\b`, 'i'), use: 'the imperative: "Serve metrics."', bad: 'Prints the members.', good: 'Print the members.' },
  { name: 'help-subject', kinds: ['help', 'metric'], match: /^(?:Is|Are|Was|Has|Have|Does|Can|May|Will|Says|Tells|Gives)\b/, use: 'a subject, or the imperative', caseSensitive: true,
    bad: 'Is a member of a group until stopped.', good: 'Join a group until stopped.' },
  { name: 'help-case', kinds: ['metric'], match: /^[a-z]/, use: 'an upper-case first letter', caseSensitive: true, bad: 'number of members.', good: 'Number of members.' },
  { name: 'error-case', kinds: ['error'], match: /^[A-Z][a-z]+ (?:failed|could|can't|cannot|was|is)\b/, use: 'a lower-case first letter', caseSensitive: true, bad: 'Reading failed: %w', good: 'reading the file: %w' },
];
