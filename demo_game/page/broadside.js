/** Broadside in a browser: two seas, on `seat.js` of netcode.turns. What others say is put there as text only. */
import { Seat, drawn, fill, make } from "./seat.js";

const SIZE = 10, FLEET = [5, 4, 3, 3, 2];
const NAMES = { 5: "carrier", 4: "battleship", 3: "cruiser", 2: "destroyer" };
const $ = (id) => document.getElementById(id);
const KEPT = `broadside ${location.pathname}`;
const invited = new URLSearchParams(location.hash.slice(1)).get("room");
const seat = new Seat();
let fleet = [], upright = false, hover = null, lines = 0, onward = false, hidden = false;

const button = (text, onclick, kind, key = text) => make("button", { type: "button", "data-key": key, class: kind, onclick }, text);
const nameOf = (number) => seat.state.names?.[number] ?? "somebody";
const near = () => seat.seat ?? 0;
const titleOf = ([column, row]) => `${String.fromCharCode(65 + column)}${row + 1}`;
const cellsOf = ([length, [column, row], upright]) => Array.from({ length }, (_, step) => (upright ? [column, row + step] : [column + step, row]));
const keyOf = (cell) => cell.join();

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

/** Return what the shots at a seat's sea have shown. */
function chartOf(number) {
  const shots = (seat.view.log ?? []).filter(([by]) => by !== number).map(([, shot]) => shot);
  return { shots, sunk: shots.map(([, , sunk]) => sunk).filter(Boolean) };
}

const placing = () => seat.seat !== null && seat.question !== null && !seat.pending;

// Drawing.

function shipOf([length, [column, row], upright], kind = "") {
  const [down, across] = upright ? [`span ${length}`, "auto"] : ["auto", `span ${length}`];
  return make("div", { class: `ship ${upright ? "upright" : "across"} ${kind}`, style: `grid-area: ${row + 1} / ${column + 1} / ${down} / ${across}` });
}

function sea(id, number) {
  const isFar = id === "far", { shots, sunk } = chartOf(number);
  const known = new Map(shots.map(([cell, hit]) => [keyOf(cell), hit]));
  const seen = (seat.view.fleets instanceof Map ? seat.view.fleets.get(number) : seat.view.fleets?.[number]) ?? [];
  const told = seen.filter(Boolean), ships = told.length || number !== seat.seat ? told : fleet;
  const isSunk = (ship) => sunk.some((one) => keyOf(one.flat()) === keyOf(ship.flat()));
  const parts = ships.map((ship) => shipOf(ship, isSunk(ship) ? "sunk" : ""));
  parts.push(...sunk.filter((ship) => !ships.length).map((ship) => shipOf(ship, "sunk")));
  const next = FLEET[fleet.length];
  if (!isFar && placing() && next && hover) {
    const draft = [next, hover, upright];
    parts.push(shipOf(draft, fits(draft, fleet) ? "draft" : "draft wrong"));
  }
  const last = shots.at(-1)?.[0];
  for (let row = 0; row < SIZE; row++)
    for (let column = 0; column < SIZE; column++) {
      const cell = [column, row], hit = known.get(keyOf(cell));
      const aims = isFar ? seat.myTurn && !seat.pending && !seat.question && hit === undefined : placing() && next;
      const stays = aims || (isFar && seat.seat !== null); // for the focus, when the others move
      const said = hit === undefined ? (isFar ? "not fired at" : "") : hit ? "hit" : "missed";
      const title = titleOf(cell), style = `grid-area: ${row + 1} / ${column + 1}`;
      const given = { class: "cell", style, "data-key": title };
      parts.push(stays ? make("button", {
        ...given, type: "button", "aria-label": `${title} ${said}`, "aria-disabled": !aims && "true",
        onclick: aims && (() => (isFar ? seat.play("fire", { cell }) : place(cell))),
        ...(!isFar && { onpointerenter: () => point(cell), onfocus: () => point(cell) }),
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
  $(`${id}-left`).textContent = seat.over ? "" : `Afloat: ${afloat.map((length) => NAMES[length]).join(", ") || "nothing"}`;
}

function point(cell) {
  if (hover && keyOf(hover) === keyOf(cell)) return;
  hover = cell;
  for (const ship of $("near").querySelectorAll(".draft")) ship.remove();
  const draft = [FLEET[fleet.length], cell, upright];
  $("near").prepend(shipOf(draft, fits(draft, fleet) ? "draft" : "draft wrong"));
}

function place(cell) {
  const ship = [FLEET[fleet.length], cell, upright];
  if (fits(ship, fleet)) {
    fleet.push(ship);
    hover = null; // a finger does not go on to the next cell
  }
  draw();
}

function hide() {
  hidden = true;
  seat.play("", { answer: fleet });
}

function another() {
  onward = true; // as soon as this table is left
  seat.leave();
}

function turn() {
  upright = !upright;
  draw();
}

function status() {
  const { names = [], result } = seat.state;
  if (seat.link !== "here") return seat.trouble || "Connecting…";
  if (seat.seat === undefined) return invited ? "You were invited to a battle" : "Two fleets, one sea";
  if (!seat.started) return names.length < 2 ? "Waiting for an enemy" : "";
  if (result) return result[2] || (result[0].length ? `${nameOf(result[0][0])} has won` : "A draw");
  if (seat.question && !seat.pending) return fleet.length < FLEET.length ? `Hide your fleet: the ${NAMES[FLEET[fleet.length]]}` : "Your fleet is hidden: ready?";
  if (seat.myTurn) return seat.pending ? "The shell is on its way…" : "Your turn: fire!";
  return seat.toMove.length > 1 ? "Both hide their fleets" : seat.toMove.length ? `${nameOf(seat.toMove[0])} ${seat.view.log?.length || !seat.state.asked ? "aims" : "hides a fleet"}` : "";
}

function tools() {
  if (placing()) return [
    button("Turn (R)", turn), button("At random", () => ((fleet = randomFleet()), draw())), button("Again", () => ((fleet = []), draw())),
    ...(fleet.length === FLEET.length ? [button("Ready", hide, "main")] : []),
  ];
  if (!seat.over || seat.seat === null) return [];
  if (seat.presence.some(([there], number) => there === "left" && number !== seat.seat)) return [button("Look for another enemy", another, "main")];
  const wants = seat.state.rematch ?? [];
  if (wants.includes(seat.seat)) return [make("span", null, "Waiting for the other captain")];
  return [button(wants.length ? `${nameOf(wants[0])} wants another battle: accept` : "Another battle", () => seat.rematch(), "main", "another")]; // a click counts, whatever it says meanwhile
}

function draw() {
  const at = seat.seat !== undefined;
  const text = status();
  if ($("status").textContent !== text) $("status").textContent = text;
  const mine = at && !seat.over && (placing() || (seat.myTurn && !seat.pending));
  $("status").classList.toggle("mine", mine);
  document.title = `${mine ? "● " : ""}${text} – Broadside`;
  $("lobby").hidden = at || seat.link !== "here";
  $("friends").hidden = Boolean(invited);
  $("any").textContent = invited ? "To battle" : "Play";
  $("invite").hidden = !at || seat.started;
  $("game").hidden = !at || !seat.started;
  $("talk").hidden = !at;
  if (!at) return;
  $("players").textContent = (seat.state.names ?? []).map((name, number) => {
    const [there, left] = seat.presence[number] ?? ["here"];
    return name + (there === "here" ? "" : left === null ? ` (${there})` : ` (${there}, ${Math.ceil(left)} s)`);
  }).join(" against ") + (seat.state.spectators ? `, ${seat.state.spectators} watching` : "");
  if (!seat.started) return;
  document.querySelector(".seas").classList.toggle("mine", seat.myTurn && !placing());
  sea("near", near());
  sea("far", 1 - near());
  fill($("tools"), tools());
}

function tell(text, kind) {
  $("log").append(make("div", { class: kind }, text));
  $("log").scrollTop = 1e9;
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

const EVENTS = {
  sat(number) {
    $("notice").textContent = "";
    $("address").value = `${location.href.split("#")[0]}#${new URLSearchParams({ room: seat.room ?? `#${seat.table}` })}`;
    if (number !== null) attempt(() => sessionStorage.setItem(KEPT, seat.ticket));
  },
  started() {
    fleet = [];
    hidden = false;
    lines = 0;
    tell("Both hide their fleets");
  },
  moved: tellShots,
  told: (text) => tell(text),
  seated: (_, name) => tell(`${name} comes into sight`),
  presence: (number, there) => number !== seat.seat && tell(`${nameOf(number)} is ${there}`),
  said: (_, name, text) => tell(`${name}: ${text}`, "chat"),
  refused(play, text) {
    $("notice").textContent = text;
    if (play?.question) [fleet, hidden] = [[], false];
  },
  gone(text) {
    attempt(() => sessionStorage.removeItem(KEPT));
    $("notice").textContent = text;
    fleet = [];
    if (onward) sail();
    onward = false;
  },
};
seat.on("event", ([kind, ...rest]) => EVENTS[kind]?.(...rest)).on("change", () => {
  if (hidden && placing()) hide(); // the other one was too slow, and with that all are asked anew
  else draw();
});

/** Sit down at a table: one with a link for a friend, one to watch, or any. */
function sail(way) {
  const name = $("name").value.trim() || undefined;
  attempt(() => localStorage.setItem(KEPT, name ?? ""));
  const room = invited ?? (way === "friends" ? drawn(5) : undefined);
  seat.join("Broadside", way === "watch" ? { name, room, watch: true } : { name, room });
}

$("lobby").onsubmit = (event) => {
  event.preventDefault();
  sail(event.submitter?.value);
};
$("chat").onsubmit = (event) => {
  event.preventDefault();
  if ($("text").value.trim()) seat.chat($("text").value);
  $("text").value = "";
};
$("leave").onclick = () => seat.leave();
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
setInterval(() => seat.presence.some(([there]) => there !== "here") && draw(), 1000);
draw();
