// Search the built site as a browser does: `node site_search.js site`, with a list of queries as JSON on the input.
// For each one that no explaining page comes first for, it says which page does.

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const site = process.argv[2];
const nothing = () => {};
const browser = vm.createContext({
  document: {
    addEventListener: nothing,
    getElementById: () => null,
    documentElement: { dataset: { content_root: "./" } },
  },
  addEventListener: nothing,
  location: { search: "" },
  localStorage: { setItem: nothing },
  console,
  URLSearchParams,
  DOCUMENTATION_OPTIONS: { FILE_SUFFIX: ".html", LINK_SUFFIX: ".html" },
  SPHINX_HIGHLIGHT_ENABLED: false,
  _: (text) => text,
  _ready: nothing,
});
browser.window = browser;
for (const file of ["_static/language_data.js", "_static/searchtools.js", "searchindex.js"]) {
  vm.runInContext(fs.readFileSync(path.join(site, file), "utf8"), browser);
}
browser.queries = JSON.parse(fs.readFileSync(0, "utf8"));
const first = vm.runInContext(
  "queries.map((query) => Search._performSearch(...Search._parseQuery(query)).slice(-1).map((result) => result[0])[0])",
  browser,
);
browser.queries.forEach((query, number) => {
  if (!String(first[number]).startsWith("troubleshooting/")) console.log(`${query} -> ${first[number]}`);
});
