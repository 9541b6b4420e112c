/** Broadside in a browser: two seas, on `seat.js` of netcode.turns. What others say is put there as text only. */
import { Seat, drawn, fill, isolated, make } from "./seat.js";

const SIZE = 10, FLEET = [5, 4, 3, 3, 2];
const NAMES = { 5: "carrier", 4: "battleship", 3: "cruiser", 2: "destroyer" };
const $ = (id) => document.getElementById(id);
const KEPT = `broadside ${location.pathname}`, DRAFT = `${KEPT} fleet`;
const seat = new Seat();
let invited = new URLSearchParams(location.hash.slice(1)).get("room");
let fleet = [], held = null, upright = false, hover = null, lines = 0, onward = false, hidden = false, frozen = "";

const button = (text, onclick, kind, key = text) => make("button", { type: "button", "data-key": key, class: kind, onclick }, text);
const nameOf = (number) => isolated(seat.state.names?.[number]) ?? "somebody";
const near = () => seat.seat ?? 0;
const titleOf = ([column, row]) => `${String.fromCharCode(65 + column)}${row + 1}`;
const cellsOf = ([length, [column, row], upright]) => Array.from({ length }, (_, step) => (upright ? [column, row + step] : [column + step, row]));
const keyOf = (cell) => cell.join();
const minutes = (left) => ((whole) => `${Math.floor(whole / 60)}:${`${whole % 60}`.padStart(2, "0")}`)(Math.ceil(left));
const awayOf = () => (seat.over ? -1 : seat.presence.findIndex(([there], number) => there === "away" && number !== seat.seat));

/** What a server of tables says is for who wrote the page: how it begins, and what a player reads. */
const WORDS = {
  "you left the table": "",
  "the table is full": "The seats at that table are taken. Watch, or play somebody else.",
  "the game has begun": "A game has begun at that table, and its seats are taken. Watch, or play somebody else.",
  "enough people watch": "There is no room for another spectator at that table.",
  "you sat down at this seat": "You sat down at this seat in another window.",
  "you founded enough tables": "You have opened many tables already. Load the page again.",
  "enough tables wait": "Many wait for an enemy already: play one of them.",
  "nobody plays": "Nobody plays here at present.",
  "this ticket opens": "That seat is not kept any more.",
  "this table is not kept": "That table is not kept any more.",
  "too fast": "Not so fast: try again in a moment.",
};
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const plain = (text) => WORDS[Object.keys(WORDS).find((begins) => text.startsWith(begins))] ?? sentence(text);

// Ships: [length, [column, row], upright], as the rules have them.

function fits(ship, others) {
  const taken = new Set(others.flatMap(cellsOf).map(keyOf));
  return cellsOf(ship).every(([column, row]) => column < SIZE && row < SIZE && !taken.has(keyOf([column, row])));
}

function randomFleet() {
  const ships = [];
  for (const length of FLEET) {
    const at = () => Math.floor(Math.random() * SIZE);
    let ship;
    do ship = [length, [at(), at()], Math.random() < 0.5];
    while (!fits(ship, ships));
    ships.push(ship);
  }
  return ships;
}

const missing = () => fleet.reduce((left, [length]) => left.toSpliced(left.indexOf(length), 1), FLEET);
/** Return the length of the ship that is put down next; undefined if all lie. */
const next = () => held ?? missing()[0];
const lying = (cell) => fleet.find((ship) => cellsOf(ship).some((one) => keyOf(one) === keyOf(cell)));

/** Return the ships of a seat, as far as they are known. */
function fleetOf(number) {
  const { fleets } = seat.view, seen = (fleets instanceof Map ? fleets.get(number) : fleets?.[number]) ?? [];
  const told = seen.filter(Boolean);
  return told.length || number !== seat.seat ? told : fleet;
}

/** Return how many fleets are hidden. */
const hiddenFleets = () => (seat.view.fleets instanceof Map ? seat.view.fleets.size : Object.keys(seat.view.fleets ?? {}).length);

/** Return what the shots at a seat's sea have shown. */
function chartOf(number) {
  const shots = (seat.view.log ?? []).filter(([by]) => by !== number).map(([, shot]) => shot);
  return { shots, sunk: shots.map(([, , sunk]) => sunk).filter(Boolean) };
}

const placing = () => seat.myTurn && seat.question !== null && !seat.pending; // who has answered is still asked, and may change it

// Drawing.

function shipOf([length, [column, row], upright], kind = "") {
  const [down, across] = upright ? [`span ${length}`, "auto"] : ["auto", `span ${length}`];
  return make("div", { class: `ship ${upright ? "upright" : "across"} ${kind}`, style: `grid-area: ${row + 1} / ${column + 1} / ${down} / ${across}` });
}

function sea(id, number) {
  const isFar = id === "far", { shots, sunk } = chartOf(number);
  const known = new Map(shots.map(([cell, hit]) => [keyOf(cell), hit]));
  const ships = fleetOf(number);
  const isSunk = (ship) => sunk.some((one) => keyOf(one.flat()) === keyOf(ship.flat()));
  const parts = ships.map((ship) => shipOf(ship, isSunk(ship) ? "sunk" : ""));
  parts.push(...sunk.filter((ship) => !ships.length).map((ship) => shipOf(ship, "sunk")));
  if (!isFar && placing() && hover) parts.push(...draft(hover));
  const last = shots.at(-1)?.[0];
  for (let row = 0; row < SIZE; row++)
    for (let column = 0; column < SIZE; column++) {
      const cell = [column, row], hit = known.get(keyOf(cell));
      const aims = isFar ? seat.myTurn && !seat.pending && !seat.question && hit === undefined : placing();
      const stays = aims || (isFar && seat.seat !== null); // for the focus, when the others move
      const said = hit === undefined ? (isFar ? "not fired at" : NAMES[lying(cell)?.[0]] ?? "") : hit ? "hit" : "missed";
      const title = titleOf(cell), style = `grid-area: ${row + 1} / ${column + 1}`;
      const given = { class: "cell", style, "data-key": title };
      parts.push(stays ? make("button", {
        ...given, type: "button", "aria-label": `${title} ${said}`, "aria-disabled": !aims && "true",
        onclick: aims && (() => (isFar ? seat.play("fire", { cell }) : touch(cell))),
        ...(aims && !isFar && { onpointerenter: () => point(cell), onfocus: () => point(cell) }),
      }) : make("div", given));
      if (hit !== undefined) {
        const isLast = last && keyOf(last) === keyOf(cell);
        parts.push(make("div", { class: `peg ${hit ? "hit" : ""} ${isLast ? "last" : ""}`, style, "data-key": `peg ${title}` }));
      }
    }
  fill($(id), parts);
  $(id).classList.toggle("aimed", isFar ? seat.myTurn && !seat.question : Boolean(placing()));
  $(id).closest("figure").hidden = isFar && Boolean(placing());
  $(`${id}-name`).textContent = nameOf(number) + (number === seat.seat ? " (you)" : "");
  $(id).setAttribute("aria-label", `The sea of ${nameOf(number)}`);
  const afloat = [...FLEET];
  for (const [length] of sunk) afloat.splice(afloat.indexOf(length), 1);
  $(`${id}-left`).textContent = seat.over || placing() ? "" : `Afloat: ${afloat.map((length) => NAMES[length]).join(", ") || "nothing"}`;
}

function point(cell) {
  if (hover && keyOf(hover) === keyOf(cell)) return;
  hover = cell;
  for (const ship of $("near").querySelectorAll(".draft")) ship.remove();
  $("near").prepend(...draft(cell));
}

/** Return how the next ship would lie there; nothing where another one lies, which a click picks up. */
function draft(cell) {
  const ship = [next(), cell, upright];
  return ship[0] === undefined || lying(cell) ? [] : [shipOf(ship, fits(ship, fleet) ? "draft" : "draft wrong")];
}

/** Put the next ship down there, or pick up what lies there. */
function touch(cell) {
  const ship = [next(), cell, upright], there = lying(cell);
  $("notice").textContent = "";
  if (there) {
    [held, , upright] = there;
    fleet = fleet.filter((one) => one !== there);
  } else if (ship[0] !== undefined && fits(ship, fleet)) {
    fleet.push(ship);
    held = hover = null; // a finger does not go on to the next cell
  } else if (ship[0] !== undefined) $("notice").textContent = `The ${NAMES[ship[0]]} does not fit at ${titleOf(cell)}: it would leave the sea or cross another ship`;
  draw();
}

function layOut(ships) {
  fleet = ships;
  held = null;
  $("notice").textContent = "";
  draw();
}

function hide() {
  hidden = true;
  held = hover = null;
  seat.play("", { answer: fleet });
}

function leave(further) {
  onward = seat.leave() && further; // once this table is left
}
const another = () => leave(true);

function turn() {
  upright = !upright;
  draw();
}

/** Say what the last shot did: only with it one looks for it in the right sea. */
function lastShot() {
  const last = (seat.view.log ?? []).at(-1);
  if (!last) return "";
  const [by, [cell, hit, sunk]] = last, who = by === seat.seat ? "You" : nameOf(by);
  return sunk ? `${who} sank the ${NAMES[sunk[0]]} at ${titleOf(cell)}` : `${who} ${hit ? "hit" : "missed"} at ${titleOf(cell)}`;
}

function ended([winners, , text]) {
  const verdict = !winners.length ? "A draw" : seat.seat === null ? `${nameOf(winners[0])} has won` : winners.includes(seat.seat) ? "Victory" : "Defeat";
  return text ? `${verdict}: ${text}` : verdict;
}

function status() {
  const { names = [], result } = seat.state;
  if (seat.link !== "here") return seat.trouble || "Connecting…";
  if (seat.state.frozen && !result) return sentence(seat.state.frozen);
  if (seat.seat === undefined) return invited ? "You were invited to a battle" : "Two fleets, one sea";
  if (!seat.started) return names.length < 2 ? "Waiting for an enemy" : "";
  if (result) return ended(result);
  if (placing()) return next() ? `Hide your fleet: the ${NAMES[next()]}` : "Your fleet is hidden: ready?";
  if (seat.myTurn && seat.pending) return "The shell is on its way…";
  const away = awayOf() < 0 ? "" : `${nameOf(awayOf())} lost the connection, and may come back`;
  const goesOn = seat.myTurn ? "Your turn: fire!" : away ? "" : seat.toMove.length > 1 ? "Both hide their fleets" : seat.toMove.length ? `${nameOf(seat.toMove[0])} ${hiddenFleets() > 1 ? "aims" : "hides a fleet"}` : "";
  return (seat.myTurn ? [`${goesOn} ${lastShot()}`.trim(), away] : [lastShot(), goesOn, away]).filter(Boolean).join(" · ");
}

function tools() {
  if (placing()) return [
    button("Turn (R)", turn), button("At random", () => layOut(randomFleet())), button("Clear", () => layOut([])),
    ...(next() === undefined ? [button("Ready", hide, "main")] : []),
  ];
  if (!seat.over || seat.seat === null) return [];
  if (seat.presence.some(([there], number) => there === "left" && number !== seat.seat)) return [button("Look for another enemy", another, "main")];
  const wants = seat.state.rematch ?? [], onwards = button("Look for another enemy", another);
  if (wants.includes(seat.seat)) return [make("span", null, "Waiting for the other captain"), onwards];
  return [button(wants.length ? `${nameOf(wants[0])} wants another battle: accept` : "Another battle", () => seat.rematch(), "main", "another"), onwards]; // a click counts, whatever it says meanwhile
}

function draw() {
  const at = seat.seat !== undefined;
  frozen = seat.state.frozen || frozen;
  const text = status();
  if ($("status").textContent !== text) $("status").textContent = text;
  const mine = at && !seat.over && (placing() || (seat.myTurn && !seat.pending));
  $("status").classList.toggle("mine", mine);
  document.title = `${mine ? "● " : ""}${text} – Broadside`;
  $("lobby").hidden = at || seat.link !== "here";
  $("friends").hidden = Boolean(invited);
  $("else").hidden = !invited;
  $("any").textContent = invited ? "To battle" : "Play";
  $("invite").hidden = !at || seat.started;
  $("game").hidden = !at || !seat.started;
  $("talk").hidden = !at;
  $("players").textContent = (seat.state.names ?? []).map((_, number) => {
    const [there, left] = seat.presence[number] ?? ["here"];
    const now = there === "left" ? "has left" : there;
    return nameOf(number) + (there === "here" ? "" : left === null ? ` (${now})` : ` (${now}, ${Math.ceil(left)} s)`);
  }).join(" against ") + (seat.state.spectators ? `, ${seat.state.spectators} watching` : "");
  if (!at || !seat.started) return;
  keepDraft();
  document.querySelector(".seas").classList.toggle("battle", seat.seat !== null && hiddenFleets() > 1);
  sea("near", near());
  sea("far", 1 - near());
  fill($("tools"), tools());
  clocks();
}

/** Show the time that is left beside each name, and that of who has to do something beside the status. */
function clocks() {
  const all = seat.over || !seat.started ? [] : seat.clocks ?? [];
  const mine = seat.toMove.includes(seat.seat) ? seat.seat : seat.toMove[0];
  for (const [id, number] of [["near-clock", near()], ["far-clock", 1 - near()], ["clock", mine]]) {
    const left = seat.toMove.includes(number) ? all[number] : all[number] || undefined; // who was too slow for a fleet has none until it is their turn
    $(id).textContent = left === undefined ? "" : minutes(left);
    $(id).classList.toggle("hurry", seat.toMove.includes(number) && left < 10);
  }
}

function tell(text, kind) {
  $("log").append(make("div", { class: kind }, text));
  onresize();
}

function tellShots() {
  const log = seat.view.log ?? [];
  for (const [by, [cell, hit, sunk]] of log.slice(lines)) tell(`${nameOf(by)} fires at ${titleOf(cell)}: ${sunk ? `sunk, the ${NAMES[sunk[0]]}` : hit ? "hit" : "missed"}`);
  lines = log.length;
}

function attempt(what) {
  try {
    return what();
  } catch {
    return null; // a browser may forbid to keep anything
  }
}

/** Keep the ships of which the server does not know yet, for a page that is loaded again. */
function keepDraft() {
  const hides = seat.seat !== null && !seat.over && hiddenFleets() < 2;
  attempt(() => (hides ? sessionStorage.setItem(DRAFT, JSON.stringify([seat.table, fleet, hidden])) : sessionStorage.removeItem(DRAFT)));
}

const EVENTS = {
  sat(number) {
    $("notice").textContent = "";
    $("log").replaceChildren();
    $("copy").textContent = "Copy";
    $("leave").textContent = "Leave";
    $("address").value = `${location.href.split("#")[0]}#${new URLSearchParams({ room: seat.room ?? `#${seat.table}` })}`;
    if (number !== null) attempt(() => sessionStorage.setItem(KEPT, seat.ticket));
    const [table, ships, were] = attempt(() => JSON.parse(sessionStorage.getItem(DRAFT))) ?? [];
    if (table === seat.table) [fleet, hidden] = [ships, were];
  },
  started() {
    [fleet, held, hidden] = [[], null, false];
    lines = 0;
    if (seat.seat !== null) uninvited(); // the link has led here: the next table is another one
    tell("Both hide their fleets");
  },
  moved(number) {
    if (number === seat.seat) $("notice").textContent = "";
    tellShots();
  },
  told: (text) => tell(text),
  seated: (number) => tell(`${nameOf(number)} comes into sight`),
  presence: (number, there) => number !== seat.seat && tell(`${nameOf(number)} ${{ here: "is back", away: "lost the connection" }[there] ?? `has ${there}`}`),
  said: (_, name, text) => tell(`${isolated(name)}: ${isolated(text)}`, "chat"),
  refused(play, text) {
    const stood = text === frozen; // which the status says, for as long as it is so
    $("notice").textContent = stood ? "" : play?.move === "fire" && !text.startsWith("too fast") ? "That shot does not count: choose another target." : plain(text);
    if (play?.question) [fleet, held, hidden] = [stood ? fleet : [], null, false];
  },
  gone(text) {
    attempt(() => sessionStorage.removeItem(KEPT));
    $("notice").textContent = plain(text);
    [fleet, held] = [[], null];
    if (onward) sail();
    onward = false;
  },
};
seat.on("event", ([kind, ...rest]) => EVENTS[kind]?.(...rest)).on("change", () => {
  if (hidden && placing()) hide(); // the other one was too slow, and with that all are asked anew
  else draw();
});

/** Forget the table that a link led to. */
function uninvited() {
  invited = null;
  history.replaceState(null, "", location.pathname + location.search);
}

/** Sit down at a table: one with a link for a friend, one to watch, or any. */
function sail(way) {
  const name = $("name").value.trim() || undefined;
  attempt(() => localStorage.setItem(KEPT, name ?? ""));
  const room = invited ?? (way === "friends" ? drawn(5) : undefined);
  seat.join("Broadside", way === "watch" ? { name, room, watch: true } : { name, room });
}

$("lobby").onsubmit = (event) => {
  event.preventDefault();
  if (event.submitter?.value === "else") uninvited();
  sail(event.submitter?.value);
};
$("copy").onclick = () => {
  $("address").select();
  document.execCommand("copy"); // without TLS, too
  $("copy").textContent = "Copied";
};
$("chat").onsubmit = (event) => {
  event.preventDefault();
  const { value } = $("text");
  if (!value.trim() || seat.chat(value)) $("text").value = "";
};
onresize = () => ($("log").scrollTop = 1e9); // a phone is turned: lines break anew
$("leave").onblur = () => ($("leave").textContent = "Leave");
$("leave").onclick = () => {
  if (seat.seat === null || !seat.started || seat.over || $("leave").textContent !== "Leave") leave(false);
  else $("leave").textContent = "Give up and leave"; // not by one click that went astray
};
onhashchange = () => location.reload(); // a friend's link that was opened in this very tab
document.onkeydown = (event) => {
  if (event.key.toLowerCase() === "r" && placing() && event.target.tagName !== "INPUT") turn();
  const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
  const here = event.target.dataset?.key;
  if (!here || (!x && !y)) return;
  event.preventDefault();
  for (let column = here.charCodeAt(0) - 65 + x, row = Number(here.slice(1)) - 1 + y; column >= 0 && column < SIZE && row >= 0 && row < SIZE; column += x, row += y) {
    const next = event.target.parentNode.querySelector(`[data-key="${titleOf([column, row])}"]`);
    if (next) return next.focus();
  }
};
$("near").onpointerleave = () => {
  hover = null;
  for (const ship of $("near").querySelectorAll(".draft")) ship.remove();
};
for (const sea of document.querySelectorAll(".sea")) {
  const marks = (kind, say) => make("div", { class: kind, "aria-hidden": "true" }, Array.from({ length: SIZE }, (_, at) => make("span", null, say(at))));
  sea.before(marks("letters", (at) => titleOf([at, 0])[0]), marks("numbers", (at) => `${at + 1}`));
}
$("name").value = attempt(() => localStorage.getItem(KEPT)) ?? "";
const ticket = attempt(() => sessionStorage.getItem(KEPT));
if (ticket) seat.join("Broadside", { ticket, name: $("name").value || undefined });
setInterval(() => (seat.presence.some(([there]) => there !== "here") ? draw() : clocks()), 500);
draw();
