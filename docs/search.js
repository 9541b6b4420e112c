// What the search of the site does otherwise: a sentence that a program said leads to the page that explains it, although
// it has names and numbers in it that are on no page.

const EXPLAINS = "troubleshooting/";
const SENTENCE = 5; // words from which a query is taken for one
let isSentence = false; // of the last query

var Scorer = {
  score: ([docname, , , , score]) => (isSentence && docname.startsWith(EXPLAINS) ? score + 40 : score),
  // The others are those of Sphinx.
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};

var splitQuery = (query) => {
  const words = query.split(/[^\p{Letter}\p{Number}_]+/gu).filter((word) => word);
  const index = Search._index;
  isSentence = words.length >= SENTENCE;
  if (!index || !isSentence) return words;
  const stemmer = new Stemmer();
  const pagesOf = (word) => {
    const stem = stemmer.stemWord(word.toLowerCase());
    return [index.terms, index.titleterms].flatMap((terms) => (Object.hasOwn(terms, stem) ? terms[stem] : []));
  };
  const explaining = [...index.docnames.keys()].filter((page) => index.docnames[page].startsWith(EXPLAINS));
  const kept = explaining.map((page) => words.filter((word) => pagesOf(word).includes(page)));
  const most = kept.reduce((best, some) => (some.length > best.length ? some : best), []);
  return most.length ? most : words;
};
