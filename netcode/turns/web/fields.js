// The fields of a game as nodes of a page, whatever they are.
import { isolated, make } from "./seat.js";

export const keyOf = (value) => JSON.stringify(value);
export const entriesOf = (value) => (value instanceof Map ? [...value] : Object.entries(value));
export const dl = (entries) => make("dl", null, entries.map(([name, item]) => make("div", null, make("dt", null, name), make("dd", null, item))));
// Not 0.6499999999999999.
const rounded = (number) => (Math.abs(number) < 1e5 ? Number(number.toPrecision(6)) : Math.round(number));

/** Return a value as one reads it; `nameOf(name, value)` may say whose number that is. */
export function written(value, nameOf = () => undefined) {
  if (value == null) return "–";
  if (value === "") return "“”";
  if (typeof value === "number") return `${rounded(value)}`;
  if (Array.isArray(value)) return value.map((item) => written(item, nameOf)).join(" ") || "empty";
  if (value === Object(value)) return entriesOf(value).map(([key, item]) => `${key}: ${nameOf(key, item) ?? written(item, nameOf)}`).join(", ") || "empty";
  return String(value);
}

/** Return what plays are called: with the names of arguments where two would read alike. */
export function labels(plays) {
  const short = plays.map(said), alike = Map.groupBy(short, (text) => text);
  return plays.map((play, at) => (alike.get(short[at]).length < 2 ? short[at] : exactly(play)));
}
const orNothing = (value) => (value === null ? "nothing" : written(value));
export const said = ({ move, arguments: given }) => [move, ...Object.values(given).map(orNothing)].join(" ").trim();
const exactly = ({ move, arguments: given }) =>
  `${move} ${Object.entries(given).map(([name, value]) => `${name}: ${value === null ? "nothing" : keyOf(value)}`).join(", ")}`.trim();

const isCell = (value) => value === null || typeof value === "boolean" || (value !== Object(value) && written(value).length < 4);
const isRecord = (value) => value === Object(value) && !Array.isArray(value);
const alike = (values) => new Set(values.filter((value) => value !== null).map((value) => typeof value)).size < 2;
const empty = () => make("small", null, "empty");
const back = (text) => make("span", { class: "item back", role: "img", "aria-label": "hidden" }, text);

export class Board {
  chosen = []; // places, of a move that is said by several
  #targets = new Set();
  #places = new Set(); // that were ever targets keep the focus
  #pieces = new Set(); // fields in which numbers are seats
  #kinds = new Map(); // a list that grows does not jump

  constructor(seat, changed) {
    Object.assign(this, { seat, changed });
  }

  get about() {
    return this.seat.games.find((one) => one.game === this.seat.game);
  }

  get names() {
    return this.seat.state.names ?? [];
  }

  nameOf = (number) => isolated(this.names[number]) ?? "somebody";
  whose = (number) => this.nameOf(number) + (number === this.seat.seat ? " (you)" : "");
  text = (value) => written(value, (name, item) => (this.#isSeat(name, item) ? this.nameOf(item) : undefined));
  again = () => ((this.chosen = []), this.changed());

  open() {
    return this.seat.legal.filter((play) => this.chosen.every((place, at) => keyOf(play.places[at] ?? null) === place));
  }

  begin() {
    for (const known of [this.#pieces, this.#kinds]) known.clear();
  }

  nodes() {
    if (!this.open().length) this.chosen = [];
    this.#targets = new Set(this.open().map((play) => keyOf(play.places[this.chosen.length] ?? null)));
    this.#targets.forEach((key) => this.#places.add(key));
    return dl(Object.entries(this.seat.view).map(([name, value]) => [name, this.#node(value, [name])]));
  }

  #node(value, path) {
    const list = Array.isArray(value), last = path.at(-1);
    const whose = this.#isSeat(last, value) || this.#isSeat(path[0], value); // by its name, or in what holds seats
    if (value === null && this.#isHidden(path)) return back("?");
    if (value !== Object(value)) return this.#part(path, "text", value, this.#mark(value, last, whose), whose && ` ${this.whose(value)}`);
    const entries = list ? [...value.entries()] : entriesOf(value);
    if (path.length === 1 && this.#isBySeat(last, entries, list)) return this.#pairs(entries, path, this.whose);
    if (!entries.length) return this.#places.has(keyOf(path)) ? this.#items(value, path) : empty();
    if (!list) return this.#pairs(entries, path, String);
    if (value.every((item, at) => item === null && this.#isHidden([...path, at]))) return make("div", { class: "items" }, back(""), `× ${value.length}, hidden`);
    const [kind, across] = this.#kindOf(value, path);
    if (kind === "items") return this.#items(value, path);
    if (kind === "rows") return this.#pairs(entries, path, String);
    const rows = kind === "grid" ? value : Array.from({ length: across }, (_, y) => value.slice(y * across, (y + 1) * across));
    return this.#grid(rows, across, path, kind === "grid");
  }

  #pairs(entries, path, called) {
    return dl(entries.map(([key, item]) => [called(key), this.#node(item, [...path, key])]));
  }

  // Told by the server: of two cards and two players neither belongs to either.
  #isBySeat(field, entries, list) {
    const { fields = {}, by_seat = [] } = this.about ?? {}, { length } = this.names;
    const told = by_seat.includes(field) || /owned|others/.test(fields[field]);
    return told && entries.length > 0 && (list ? entries.length === length : entries.every(([key]) => Number.isInteger(key) && key >= 0 && key < length));
  }

  #isSeat(name, value) {
    return Number.isInteger(value) && value >= 0 && value < this.names.length && this.about?.seats?.includes(name);
  }

  // What is missing there is hidden, and not empty.
  #isHidden([field, entry]) {
    const mark = this.about?.fields[field] ?? "open", { seat } = this.seat;
    if (mark === "open" || this.seat.state.secret != null) return false;
    return mark === "owned" ? entry !== seat : mark === "others" ? seat === null || entry === seat : true;
  }

  #arePieces(values, field) {
    const fit = values.every((value) => value === null || (Number.isInteger(value) && value >= 0 && value < this.names.length));
    const { seats = [], by_seat = [] } = this.about ?? {}, untold = !seats.length && !by_seat.length; // there was no source
    if (fit && (seats.includes(field) || (untold && values.includes(null)))) this.#pieces.add(field);
    return fit && this.#pieces.has(field);
  }

  #kindOf(value, path) {
    const key = keyOf(path), now = this.#guess(value, path), before = this.#kinds.get(key) ?? now;
    const all = value.flat(), [was] = before;
    const still = was === "square" ? was === now[0] : was === "grid" ? value.every(Array.isArray) && all.every((one) => isCell(one) || isRecord(one)) : true;
    const kind = still ? [was, was === "grid" ? Math.max(before[1], now[1]) : now[1]] : now;
    if (all.length) this.#kinds.set(key, kind);
    return kind;
  }

  #guess(value, path) {
    const side = Math.sqrt(value.length);
    if (!value.every(Array.isArray)) {
      const full = value.every((item) => typeof item !== "string" || item.length === 1);
      // A hand is no board.
      return [side > (this.#isHidden(path) || /owned/.test(this.about?.fields[path[0]]) ? 3 : 2) && side % 1 === 0 && value.every(isCell) && (full || value.includes(null)) ? "square" : "items", side];
    }
    const across = Math.max(...value.map((line) => line.length)), all = value.flat();
    const records = all.some(isRecord) && all.every((one) => one === null || isRecord(one));
    if (value.length > 1 && across > 1 && (records || (value.length > 2 && across > 2 && all.every(isCell) && alike(all)))) return ["grid", across];
    return [value.every((line) => line.length === across) && across < 6 && !records ? "items" : "rows", across];
  }

  #point(place) {
    this.chosen.push(place);
    const [play, ...more] = this.open();
    if (!more.length && play?.places.length === this.chosen.length) this.seat.play(play);
    this.changed();
  }

  #part(path, kind, value, ...inside) {
    const called = typeof value !== "number" && typeof path.at(-1) === "number" ? [...path.slice(0, -1), value] : path; // in a list it may be its own place
    const key = [path, called].map(keyOf).find((key) => this.#places.has(key));
    if (!key) return make("span", { class: kind }, inside);
    const taken = this.chosen.includes(key), goes = taken || this.#targets.has(key);
    const onclick = goes ? () => (taken ? this.again() : this.#point(key)) : null;
    return make("button", { type: "button", class: `${kind} ${taken ? "chosen" : goes ? "go" : ""}`, "aria-pressed": taken, "aria-disabled": !goes, "data-key": key, "aria-label": `${path.join(" ")}: ${value === null ? "empty" : this.text(value)}`, onclick }, inside);
  }

  #mark(value, name, piece = this.#isSeat(name, value)) {
    if (piece && value !== null) return make("span", { class: "seat", style: `--seat: ${value}`, title: this.nameOf(value) }, value);
    return typeof value === "boolean" && typeof name !== "string" ? (value ? "●" : "○") : this.text(value);
  }

  #cell(value, at, pieces, blank) {
    if (isRecord(value)) return entriesOf(value).map(([name, item]) => make("span", { class: "line" }, make("small", null, name), " ", this.#mark(item, name)));
    return value === null || (value === "" && blank) ? "" : this.#mark(value, at, pieces);
  }

  #grid(rows, across, path, numbered) {
    const all = rows.flat(), pieces = this.#arePieces(all, path[0]), records = all.some(isRecord);
    const blank = !all.includes(null); // then nothing else looks like an empty text
    const long = Math.max(2, ...all.map((value) => (isRecord(value) ? 0 : this.text(value).length)));
    const number = (text) => numbered && make("small", { class: "number", "aria-hidden": true }, text);
    const cells = rows.map((row, y) => [number(y), Array.from({ length: across }, (_, x) => {
      const place = numbered ? [...path, y, x] : [...path, y * across + x];
      if (x >= row.length) return make("span");
      return row[x] === null && this.#isHidden(place) ? back("?") : this.#part(place, "item", row[x], this.#cell(row[x], x, pieces, blank));
    })]);
    return make("div", { class: `grid ${numbered ? "numbered" : ""} ${records ? "records" : ""}`, style: `--across: ${across}; --long: ${long}` }, numbered && [number(""), Array.from({ length: across }, (_, x) => number(x))], cells);
  }

  #items(value, path) {
    const whole = this.#places.has(keyOf(path));
    const pieces = this.#arePieces(whole ? [null, ...value] : value, path[0]);
    if (whole) return this.#part(path, "line", value, value.length ? value.map((item, at) => this.#cell(item, at, pieces)) : empty());
    const before = Math.max(0, value.length - 60);
    return make("div", { class: "items" }, before > 0 && `${before} before`, value.slice(before).map((item, index) => {
      const at = before + index;
      return item === null && this.#isHidden([...path, at]) ? back("?") : this.#part([...path, at], "item", item, isRecord(item) ? this.text(item) : this.#cell(item, at, pieces));
    }));
  }
}
