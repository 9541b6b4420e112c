/** A seat at a table of `netcode.turns`, and nodes to draw it. The standard is docs/turns-protocol.md. */
import { Client, read } from "./netcode.js";

const FOR_GOOD = /^(DENIED|WRONG_\w+|MALFORMED|NOT_NETCODE|FLOODING)$/; // what another attempt does not change
export const drawn = (count) =>
  Array.from(crypto.getRandomValues(new Uint8Array(count)), (byte) => String.fromCharCode(65 + (byte % 26))).join("");

export class Seat extends EventTarget {
  link = "connecting";
  trouble = "";
  games = [];
  tables = [];
  game = "";
  table = "";
  on = Client.prototype.on;
  room = null;
  seat = undefined; // null while we watch, undefined while we are at no table
  ticket = null;
  state = {};
  view = {};
  pending = null;
  #wanted = [];
  #own; // the ticket that a nil one stands for
  #client;
  #options;
  #told = { state: {}, view: {} }; // what is becoming the state and the view
  #heard = 0;
  #ended = null; // the game whose end was told
  #attempts = 0;
  #sat = false;

  constructor({ url, ...options } = {}) {
    super();
    this.#options = [url, { game: "netcode.turns", version: "1", ...options }];
    this.#connect();
  }

  get started() {
    return Boolean(this.state.started);
  }

  get over() {
    return Boolean(this.state.result);
  }

  get toMove() {
    return this.state.to_move ?? [];
  }

  get myTurn() {
    return this.seat != null && !this.over && this.toMove.includes(this.seat);
  }

  get question() {
    const [id, prompt, options] = this.state.question ?? [];
    return id === undefined ? null : { id, prompt, options, text: Boolean(this.state.text) };
  }

  get legal() {
    if (this.pending) return [];
    const { legal = [], places = [] } = this.state;
    const answers = this.question?.options?.map((answer) => ["", { answer }]);
    return (answers ?? legal.filter(([move]) => move)).map(([move, given], at) => ({ move, arguments: given, places: places[at] ?? [] }));
  }

  get unlisted() {
    return this.pending ? [] : this.question?.options === null ? [""] : this.state.unlisted ?? [];
  }

  get clocks() {
    const { clocks, running = [] } = this.state;
    return clocks?.map((left, seat) => (running.includes(seat) ? this.#left(left) : left)) ?? null;
  }

  get presence() {
    return (this.state.presence ?? []).map(([state, left]) => [state, left && this.#left(left)]);
  }

  join(game, wanted = {}) {
    this.#forget();
    this.#own = wanted.ticket ?? this.#own;
    this.#wanted = [game, { legal: true, key: wanted.ticket || wanted.watch ? undefined : drawn(32), ...wanted, name: wanted.name?.toWellFormed() }];
    this.#send("join", ...this.#wanted);
  }

  play(play, given = {}) {
    if (this.pending || this.seat == null) return;
    const made = typeof play === "string" ? { move: play, arguments: given, places: [] } : play;
    this.pending = { ...made, number: this.#told.state.last + 1, question: made.move ? null : this.question?.id ?? "" };
    if (this.#sat) this.#sendPlay();
    this.#change();
  }

  draw(move) {
    this.#say("draw", move);
  }

  chat(text) {
    return this.#say("say", text.toWellFormed());
  }

  start() {
    this.#say("start");
  }

  undo() {
    this.#say("undo");
  }

  consent(agreed) {
    this.#say("consent", agreed);
  }

  rematch() {
    this.#say("rematch");
  }

  leave() {
    return this.#say("leave");
  }

  list() {
    this.#send("tables", null);
  }

  #connect() {
    const client = (this.#client = new Client(...this.#options));
    client
      .on("joined", () => {
        this.#attempts = 0;
        this.#sat = false;
        client.send(["games"]);
        this.#send(...(this.#wanted[0] ? ["join", ...this.#wanted] : ["tables", null]));
        this.#linked("here");
      })
      .on("message", (message) => this.#hear(...message))
      .on("away", ({ text }) => this.#linked("away", text))
      .on("back", () => this.#linked("here"))
      .on("failed", ({ text }) => this.#linked(this.link, text))
      .on("left", ({ name, text }) => {
        if (FOR_GOOD.test(name)) return this.#linked("lost", text);
        setTimeout(() => this.#connect(), Math.min(5000, 250 * 2 ** this.#attempts++));
        this.#linked("away", text);
      });
  }

  #linked(link, trouble = "") {
    const before = this.link;
    if (link === "away") trouble += "; looking for the way back";
    Object.assign(this, { link, trouble });
    if (link !== before) this.#tell("link", link, trouble);
    this.#change();
  }

  // Later nobody may want it any more.
  #say(...message) {
    if (this.#sat && this.link === "here") return this.#send(...message);
    this.#tell("refused", null, "not sent; try again once you are back");
  }

  #send(...message) {
    try {
      if (this.#client.id !== null) this.#client.send(message);
      return true;
    } catch (error) { // too large, say
      this.pending = null;
      this.#tell("refused", null, error.message);
    }
  }

  #sendPlay() {
    const { number, move, question, arguments: given } = this.pending;
    const lag = Math.min(this.#client.rtt ?? 0, 999);
    this.#send(...(question === null ? ["play", number, move, given, lag] : ["answer", number, question, given.answer, lag]));
  }

  #forget() {
    this.#sat = false;
    this.#ended = null;
    this.#told = { state: {}, view: {} };
    Object.assign(this, this.#told, { pending: null, seat: undefined, ticket: null });
  }

  #hear(kind, ...rest) {
    const [first, second, third] = rest;
    if (kind === "sat") this.#sit(rest);
    else if (kind === "part") this.#see(first);
    else if (kind === "step") {
      this.#see(second);
      Object.assign(this.#told.state, third);
      Object.assign(this, this.#told);
      this.#heard = performance.now();
      this.#settle();
      for (const event of first) if (event[0] !== "over" && (event[0] !== "seated" || event[1] !== this.seat)) this.#tell(...event);
      const { id, result } = this.state;
      if (result && id !== this.#ended) {
        this.#ended = id;
        this.#tell("over", ...result); // also where it came while we were away
      }
    } else if (kind === "games" || kind === "tables") this[kind] = first;
    else {
      if (kind === "gone") {
        this.#wanted[0] = null;
        this.#forget();
      } else if (kind === "refused") {
        rest[0] = this.pending?.number === first ? this.pending : null;
        if (rest[0]) this.pending = null;
      }
      this.#tell(kind, ...rest);
    }
    this.#change();
  }

  #sit([table, game, seat, ticket, last, room]) {
    const again = this.seat === seat && this.table === table;
    const { name } = this.#wanted[1];
    this.#sat = true;
    Object.assign(this, { table, game, seat, room, ticket: seat === null ? null : (this.#own = ticket ?? this.#own) });
    this.#told = { state: { last }, view: {} };
    if (!again) Object.assign(this, this.#told); // else what was there is shown until everything follows
    this.#wanted = [game, { legal: true, name, ...(this.ticket ? { ticket: this.ticket } : { room: `#${table}`, watch: true }) }];
    if (!again) this.#tell("sat", seat, name ?? "");
    this.#settle();
    if (this.pending) this.#sendPlay();
  }

  #see(fields) {
    for (const [name, data] of Object.entries(fields)) this.#told.view[name] = read(data)[1];
  }

  #settle() {
    if (this.pending && this.#told.state.last >= this.pending.number) this.pending = null;
  }

  #left(seconds) {
    return Math.max(0, seconds - (performance.now() - this.#heard) / 1000);
  }

  #tell(...event) {
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
  }

  #change() {
    this.dispatchEvent(new CustomEvent("change", { detail: this }));
  }
}

/** Keep what stands beside a text that runs from right to left where it is. */
export const isolated = (text) => text?.replace(/.*[\u0590-\u08ff].*/s, "\u2068$&\u2069");

/** Make a node with attributes, listeners, and what is inside. */
export function make(tag, given, ...inside) {
  const made = Object.assign(document.createElement(tag), { given });
  for (const name in given) give(made, name);
  made.append(...inside.flat(9).filter((part) => part != null && part !== false));
  return made;
}

/** Have just this inside a node; what is there of the same kind and `data-key` becomes it. */
export function fill(node, ...inside) {
  const what = (one) => `${one.nodeName} ${one.dataset?.key}`, old = Map.groupBy(node.childNodes, what);
  const stay = [...make("p", null, inside).childNodes].map((one) => {
    const before = old.get(what(one))?.shift();
    return before ? become(before, one) : one;
  });
  for (const one of [...old.values()].flat()) one.remove();
  let next = node.firstChild;
  for (const one of stay) one === next ? (next = next.nextSibling) : node.insertBefore(one, next);
}

function become(node, other) {
  const { given } = node;
  node.given = other.given;
  for (const name in { ...given, ...other.given }) give(node, name);
  if (node.data !== other.data) node.data = other.data;
  if (node.children) fill(node, ...other.childNodes);
  return node;
}

function give(node, name) {
  const value = node.given?.[name] ?? null;
  if (name === "value" || name.startsWith("on")) node[name] = value;
  else if (value === null || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value);
}
