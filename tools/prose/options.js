// What the linter reads, and how the two rules from npm are set.
export const options = {
  /** reads reports whether a file has text for people. Test data, generated files and other projects' text do not count. */
  reads(file) {
    if (/(^|\/)(?:testdata\/.*(?<!\.txtar)|node_modules\/.*)$/.test(file) || /^tools\/prose\//.test(file)) return false;
    if (/^docs\/(?:glossary\.md|upstream\/)|^alerts\/runbooks\/html\//.test(file)) return false; // The runbooks are read as Markdown.
    return /\.(?:md|go|ya?ml|html|tpl|js|css|sh|txtar)$/.test(file) || /^dashboards\/[\w-]+\.json$/.test(file)
      || /(^|\/)(?:Makefile|Containerfile|prepare|run)$/.test(file) || /^tools\/[\w-]+$/.test(file);
  },
  terminology: { defaultTerms: true, skip: ['BlockQuote', 'Code', 'Link'], exclude: ['e2e', "API['’]?s", "URL['’]?s"] },
  notFillers: ['said', 'all of', 'go on', 'is to be', 'designate', 'cumulative', 'is a number', 'failed to', 'accompany', 'refer to', 'VIP', 'more or less', 'relative to', 'as being', 'a number of', 'on behalf of', 'is after'],
};
