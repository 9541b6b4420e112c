// What others say becomes text, never HTML.
import { Board, keyOf, labels, said, written } from "./fields.js";
import { Seat, drawn, fill as fillNode, isolated, make } from "./seat.js";

const $ = (id) => document.getElementById(id);
const seat = new Seat();
let { room, game: hashGame } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const KEPT = `netcode ${location.pathname}`;
const board = new Board(seat, () => draw());
const { nameOf, whose } = board;
let link = "", focused, screen, offered, sent, store, onward;
let answered = ""; // what we said where others are still to answer
let before = {}; // drawn last: no event tells all
let lines = []; // that nobody tells again
const drafts = {};

const button = (text, onclick, given) => make("button", { type: "button", "data-key": text, ...given, onclick }, text);
const fill = (id, ...inside) => fillNode($(id), inside);
const show = (id, whether) => ($(id).hidden = !whether);
const row = (...inside) => make("p", { class: "row" }, inside);
const listed = (seats) => seats.map(nameOf).join(" and ");
const minutes = (left) => `${Math.floor(left / 60)}:${`${Math.floor(left % 60)}`.padStart(2, "0")}`;

// Storage may be forbidden.
function attempt(what, otherwise) {
  try {
    return what();
  } catch {
    return otherwise;
  }
}
const typed = (text) => attempt(() => JSON.parse(text), text);
const valuesOf = (inputs) => Object.fromEntries(inputs.map(({ name, value, dataset }) => [name, dataset.text ? value : typed(value)]));
const kept = () => attempt(() => JSON.parse(localStorage.getItem(KEPT))) ?? {};
function keep(what) {
  history.replaceState(what, ""); // for a reload
  attempt(() => localStorage.setItem(KEPT, keyOf(what)));
}
// A link leads to one table, and once.
function uninvited() {
  room = hashGame = offered = undefined;
  history.replaceState(history.state, "", location.pathname + location.search);
}
const sit = (game, wanted) => seat.join(game, { name: $("name").value.trim() || undefined, ...wanted });

$("join").onsubmit = (event) => {
  event.preventDefault();
  const way = event.submitter?.value;
  if (way === "else") return uninvited(), draw();
  sit((room && hashGame) || offered, {
    room: room || (way === "friends" ? drawn(5) : undefined),
    ...(way === "watch" ? { watch: true } : {
      players: Number($("count")?.value) || undefined,
      options: valuesOf([...$("options").querySelectorAll("[data-was]")].filter(({ value, dataset }) => value !== dataset.was)),
    }),
  });
};

function offer() {
  const game = seat.games.find((one) => one.game === ($("game").value || hashGame)) ?? seat.games[0];
  if (!game || offered === game.game) return;
  offered = game.game;
  fill("game", seat.games.map((one) => make("option", { selected: one === game }, one.game)));
  const [low, high] = game.players;
  fill("options", make("legend", null, "If you open a table"),
    low < high && make("label", null, `Players, ${low} to ${high}`, make("input", { id: "count", type: "number", min: low, max: high, placeholder: "as they come" })),
    Object.entries(game.options).map(([name, values]) => {
      const text = !values && typeof game.chosen[name] === "string", was = text ? game.chosen[name] : keyOf(game.chosen[name]);
      const given = { name, "data-was": was, "data-text": text };
      const called = values && labels(values.map((value) => ({ move: "", arguments: { [name]: value } })));
      const all = values?.map((value, at) => make("option", { value: keyOf(value), selected: keyOf(value) === was }, called[at]));
      return make("label", null, name, all ? make("select", given, all) : make("input", { ...given, value: was }));
    }));
}
$("game").onchange = offer;

function lobby() {
  offer();
  show("which", seat.games.length > 1 && !(room && hashGame));
  show("options", $("options").children.length > 1);
  show("friends", !room);
  show("else", room);
  fill("any", room ? "Sit down" : "Play");
  fill("invited", room && `You were invited to the table ${room}.`);
  const { game, name, ticket } = kept();
  fill("back", ticket && button(`Back to your seat at ${game}${name ? ` as ${name}` : ""}`, () => sit(game, { ticket })));
  show("open", seat.tables.length && !room);
  fill("tables", seat.tables.map((table) => {
    const who = `${table.names.map(isolated).join(", ") || "nobody yet"}, ${table.names.length} of ${table.players[1]}`;
    return make("li", { "data-key": `at ${table.room}` }, `${table.game}: ${who}${Object.keys(table.options).length ? ` (${written(table.options)})` : ""}`, button("Sit down", () => sit(table.game, { room: table.room }), { "data-key": table.room, "aria-label": `Sit down with ${who}` }));
  }));
}

function plays() {
  const legal = board.open(), called = labels(legal);
  const buttons = (plays) => plays.length > 0 && row(plays.map((play) => {
    const taken = !seat.myTurn && said(play) === answered;
    return button(called[legal.indexOf(play)], () => seat.play(play), taken && { class: "chosen", "aria-pressed": "true" });
  }));
  const onBoard = legal.filter((play) => play.places.length > board.chosen.length);
  return [
    buttons(legal.filter((play) => !onBoard.includes(play))),
    board.chosen.length > 0 && row(button("Choose anew", board.again)),
    onBoard.length > 0 && make("details", null, make("summary", null, `All moves of the board (${onBoard.length})`), buttons(onBoard)),
    seat.unlisted.map(form),
  ];
}

const isText = (move, name) => (move ? board.about?.texts[move]?.includes(name) : seat.question?.text) ?? false;
const draftOf = (move, name) => `${move || seat.question?.id} ${name}`;
const forget = (move) => Object.keys(drafts).forEach((draft) => draft.startsWith(`${move} `) && delete drafts[draft]);

function form(move) {
  const inputs = (move ? board.about?.moves[move] ?? [] : ["answer"]).map((name) => {
    const draft = draftOf(move, name);
    const oninput = (event) => (drafts[draft] = event.target.value);
    return make("textarea", { name, "data-key": `${move} ${name}`.trim(), "data-text": isText(move, name), rows: 2, value: drafts[draft] ?? "", oninput });
  });
  const onsubmit = (event) => {
    event.preventDefault();
    seat.play(move, valuesOf([...event.target.querySelectorAll("textarea")]));
  };
  return make("form", { onsubmit }, inputs.map((input) => make("label", null, input.dataset.key, input)),
    row(make("button", { class: "main", "data-key": `do ${move}` }, move || "Answer"), button("Draw one at random", () => seat.draw(move), { "data-key": `draw ${move}` })));
}

function ended([winners, scores, text]) {
  const points = scores ? ` (${scores.map((score, at) => `${nameOf(at)} ${written(score)}`).join(", ")})` : "";
  const nobody = board.names.length === 1 || text ? "Nobody won" : "A draw"; // a text says what it is
  const won = winners.length > 1 && winners.length === board.names.length ? "All won" : `${listed(winners)} won`;
  return `${winners.length ? won : nobody}${points}${text && `: ${text}`}`;
}

function status() {
  const { players: [low, high] = [2, 2], frozen, result } = seat.state;
  const missing = low - board.names.length;
  if (seat.link !== "here") return seat.trouble;
  if (frozen) return `The table is frozen: ${frozen}`;
  if (!seat.started) return missing > 0 ? `Waiting for ${missing} more` : `Waiting for others, up to ${high}`;
  if (result) return ended(result);
  const open = seat.legal.length + seat.unlisted.length;
  if (seat.myTurn && !seat.pending) return !open ? "Nothing can be done: the rules are stuck" : seat.question ? seat.question.prompt || "You are asked" : "Your turn";
  const others = listed(seat.toMove), done = seat.question ? "answered" : "moved";
  if (seat.seat === null || !open) return `${others} to move`;
  return `${answered ? `You ${done}: ${answered}` : `You have ${done}`}; waiting for ${others} (you may change it)`;
}

function ask() {
  const { undo, undo_by: asks, rematch = [], players = [2], out } = seat.state;
  if (seat.seat === null) return "You watch.";
  if (!seat.started) return board.names.length >= players[0] && button("Begin", () => seat.start(), { class: "main" });
  const gone = [...seat.presence.keys()].filter((number) => number !== seat.seat && seat.presence[number][0] === "left");
  const onwards = (kind) => button("Another table", () => leave(seat.game), kind);
  const text = gone.length > 0 && `${listed(gone)} ${gone[1] ? "have" : "has"} left.`;
  if (seat.over && seat.presence.length - gone.length < board.about?.players[0]) return [text, onwards({ class: "main" })];
  if (seat.over) return [text, rematch.length > 0 && `${listed(rematch)} would like another game.`, !rematch.includes(seat.seat) && button("Play again", () => seat.rematch(), { class: "main" }), onwards()];
  if (asks === seat.seat) return "You asked the others to take your move back.";
  if (asks != null) return [`${nameOf(asks)} would like to take the last move back.`, !out.includes(seat.seat) && [button("Allow", () => seat.consent(true)), button("Refuse", () => seat.consent(false))]];
  return undo && button(undo === "free" || board.names.length === 1 ? "Take back" : "Ask to take back", () => seat.undo());
}

function leave(to) {
  onward = seat.leave() && to; // once this table is left
}

// In words for who plays.
const plain = (text) => text.replace("; to look on, join with watch", "; choose Watch to look on, or another table").replace(/: (max|tables)_\w+ is \d+/, "");

function notice(text) {
  fill("notice", plain(text));
  $("notice").classList.toggle("calm", text === "you left the table"); // no alarm
}

function people() {
  const { clocks, presence } = seat;
  fill("players", board.names.map((_, number) => {
    const [there, left] = presence[number];
    return make("li", { class: !seat.over && seat.toMove.includes(number) && "turn" },
      make("span", { class: "seat", style: `--seat: ${number}`, "aria-hidden": true }, number),
      make("span", { class: "who" }, whose(number) + (seat.state.out?.includes(number) ? ", out" : "")),
      there !== "here" && make("small", null, there + (left === null ? "" : `, ${minutes(left)} left`)),
      clocks && make("time", null, minutes(clocks[number])));
  }));
}

function draw() {
  const at = seat.seat !== undefined, ready = at || seat.games[0];
  const waits = seat.state.frozen && `You have no seat yet: ${seat.state.frozen}`;
  fill("link", !at && (seat.link === "here" ? waits : seat.trouble || "Connecting…"));
  fill("title", (at && seat.game) || "Play");
  show("lobby", !at && ready);
  show("table", at);
  (at ? table : lobby)();
  if (ready && screen !== at) {
    if (screen !== undefined) $("title").focus();
    screen = at;
  }
}

function table() {
  const view = board.nodes();
  unsaid();
  if (seat.pending) {
    sent = seat.pending;
    fill("refused");
  } else if (seat.myTurn) answered = ""; // it is asked anew
  const text = status();
  fill("status", text);
  $("status").classList.toggle("mine", seat.myTurn && !seat.pending);
  document.title = `${seat.myTurn ? "● " : ""}${text} – ${seat.game}`;
  fill("ask", ask());
  show("invite", !seat.started);
  $("address").value = link;
  show("view", seat.started);
  fill("view", view);
  fill("plays", plays());
  people();
  fill("watching", seat.state.spectators > 0 && `${seat.state.spectators} watching`);
  before = { ...seat.state, clocks: seat.clocks, at: performance.now() };
  const at = document.activeElement;
  if (at !== document.body) focused = at.dataset.key;
  else if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function tell(text, kind) {
  const log = $("log");
  log.append(make("div", { class: kind }, text));
  if (log.children.length > 500) log.firstChild.remove();
  onresize();
}

function remember(text, kind) {
  if (text) {
    tell(text, kind);
    lines = [...lines, [text, kind]].slice(-200);
  }
  attempt(() => sessionStorage.setItem(store, keyOf({ lines, answered })));
}
function recall() {
  store = `${KEPT} ${seat.table} ${seat.seat}`;
  ({ lines, answered } = attempt(() => JSON.parse(sessionStorage.getItem(store))) ?? { lines: [], answered: "" });
  lines.forEach(([text, kind]) => tell(text, kind));
}

const isLate = (number) => before.clocks?.[number] - (before.running?.includes(number) ? (performance.now() - before.at) / 1000 : 0) < 0.25;
// A timeout is a change, no event. `event` is the first of a step.
function unsaid(event) {
  const { started, number, running = [] } = before, late = running.filter(isLate);
  before.number = seat.state.number; // once
  const told = /moved|taken back|over|started|sat/.test(event) || !started || seat.over || number === before.number;
  if (late.length && !told) tell(`The time of ${listed(late)} is up`);
}

const EVENTS = {
  sat(number, name) {
    for (const id of ["notice", "refused", "log"]) fill(id);
    before = {};
    const { game, table, ticket } = seat;
    link = `${location.href.split("#")[0]}#${new URLSearchParams({ room: seat.room ?? `#${table}`, game })}`;
    if (number !== null) keep({ game, name: name || undefined, ticket });
    tell(number === null ? "You watch." : `You sit at seat ${number}.`);
    recall();
  },
  seated: (number) => tell(`${nameOf(number)} sits down`),
  started() {
    if (seat.seat !== null) uninvited();
    board.begin();
    lines = lines.filter(([, kind]) => kind === "chat");
    tell("The game begins");
  },
  moved(number, move) {
    fill("refused");
    const own = number === seat.seat && sent; // else time has answered for us
    if (number === seat.seat) {
      answered = sent ? said(sent) : "";
      sent = null;
      forget(move);
      remember();
    }
    const absent = before.asked && !own && (isLate(number) || seat.presence[number][0] !== "here");
    tell(`${nameOf(number)} ${move ? `moved: ${move}` : absent ? "did not answer: the default counts" : before.asked ? "answered" : "moved"}`);
  },
  told: (text, _, alone) => remember(alone ? `${text} (not told to all)` : text, alone && "alone"),
  "taken back": (_, text) => tell(`Taken back: ${text}`),
  "not taken back": (_, text) => tell(text),
  presence: (number, there) => number !== seat.seat && tell(`${nameOf(number)} ${{ here: "is back", left: "has left" }[there] ?? `is ${there}`}`),
  over: (...result) => tell(ended(result), "end"),
  said: (_, name, text) => remember(`${isolated(name)}: ${isolated(text)}`, "chat"),
  refused(play, text) {
    if (seat.seat === undefined) return notice(text);
    const full = play ? `${said(play)}: ${text}` : text;
    fill("refused", full); // in sight, until something is played
    tell(full, "wrong");
  },
  drawn(move, given) {
    fill("refused");
    Object.entries(given).forEach(([name, value]) => (drafts[draftOf(move, name)] = isText(move, name) ? value : keyOf(value)));
  },
  link: (state, text) => seat.seat !== undefined && tell(state === "here" ? "Back at the table" : text),
  gone(text) {
    const { name, ticket } = kept(), own = ticket === history.state?.ticket && !text.endsWith("elsewhere");
    if (own) keep({ name });
    else history.replaceState({ name }, ""); // what is kept is the seat of another tab
    attempt(() => sessionStorage.removeItem(store));
    notice(text);
    if (onward) sit(onward);
    else seat.list();
    onward = undefined;
  },
};
seat.on("event", ([kind, ...rest]) => {
  unsaid(kind);
  EVENTS[kind]?.(...rest);
}).on("change", draw);

$("chat").onsubmit = (event) => {
  event.preventDefault();
  const { value } = $("text");
  if (!value.trim() || seat.chat(value)) $("text").value = "";
};
onresize = () => ($("log").scrollTop = 1e9); // a phone is turned
$("leave").onblur = () => fill("leave", "Leave the table");
$("leave").onclick = () => {
  if (seat.seat === null || !seat.started || seat.over || $("leave").textContent.startsWith("Give")) leave();
  else fill("leave", "Give up and leave"); // not by one click that went astray
};
$("copy").onclick = () => {
  $("address").select();
  document.execCommand("copy"); // without TLS, too
};
onhashchange = () => location.reload(); // a link to a table that was opened in this very tab
document.onpointerdown = () => (focused = undefined);
document.onkeydown = (event) => {
  if (event.key === "Escape") board.again();
};
// Arrow keys go to the nearest place there.
$("view").onkeydown = (event) => {
  const is = (name) => event.key === `Arrow${name}`, x = is("Right") - is("Left"), y = is("Down") - is("Up");
  if (x || y) event.preventDefault();
  const from = event.target.getBoundingClientRect();
  const far = [...$("view").querySelectorAll("button")].map((one) => {
    const box = one.getBoundingClientRect(), dx = box.x - from.x, dy = box.y - from.y, along = dx * x + dy * y;
    return [along > 1 && along + 3 * Math.abs(dx * y + dy * x), one];
  });
  far.filter(([far]) => far).sort(([one], [other]) => one - other)[0]?.[1].focus();
};

$("name").value = kept().name ?? "";
const { game, ...wanted } = history.state ?? {};
if (game) seat.join(game, wanted);
setInterval(() => seat.seat !== undefined && people(), 500);
setInterval(() => seat.seat === undefined && seat.link === "here" && !document.hidden && seat.list(), 5000);
draw();
