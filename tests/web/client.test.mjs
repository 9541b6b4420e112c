// What a client does besides reading and writing, told by a server and a clock that are made up. Run by Node.
import assert from "node:assert";
import test, { afterEach, beforeEach, mock } from "node:test";
import { Client, encode, read } from "../../netcode/web/netcode.js";
import { FakeSocket, finish, fromHex, goodbyes, join, plain, toHex } from "./vectors.mjs";

const TOKEN = "00".repeat(31) + "07";
const bytes = (...fields) => {
  const body = encode(fields);
  return Uint8Array.of(0, 0, 0, body.length + 3, 0xc7, body.length, 78, ...body);
};
const framed = (message) => Uint8Array.of(0, 0, 0, encode(message).length, ...encode(message));
const welcome = ({ id = 1, token = TOKEN, received = 0, grace = 10, first = [] } = {}) =>
  toHex(bytes(2, 1, id, 65_536, fromHex(token), received, 10, grace, ...first));
const said = (socket) => socket.said.map((frame, index) => (index === 0 ? "HELLO" : read(frame.subarray(4))));
const last = () => FakeSocket.opened.at(-1);
const names = (events) => events.map(([name, detail]) => (detail?.name ? `${name} ${detail.name}` : name));
const hearGoodbye = (socket, code, text = "", ...more) => socket.hear(bytes(5, code, text, ...more));

const window = new EventTarget();
globalThis.addEventListener = window.addEventListener.bind(window);

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  mock.method(Math, "random", () => 1);
});
afterEach(() => {
  finish();
  mock.timers.reset();
  mock.restoreAll();
});

test("what is sent before the welcome follows it, in order", () => {
  const { client, socket } = join({ welcome: "" });
  client.send("one");
  client.send("two");
  assert.equal(socket.said.length, 1);

  socket.hear(fromHex(welcome()));
  client.send("three");

  assert.deepEqual(said(socket).slice(1), [[6, 0], [0, "one"], [0, "two"], [0, "three"]]);
});

test("a client comes back with its token and its count, and sends what is missing alone", () => {
  const { client, socket, events } = join({ welcome: welcome() });
  for (const text of ["one", "two", "three"]) client.send(text);
  socket.hear(framed("a"));
  socket.hear(framed("b"));
  socket.onclose();
  client.send("four");
  mock.timers.tick(500);
  last().open();

  const hello = last().said[0];
  assert.ok(toHex(hello).includes(`c420${TOKEN}02`));
  last().hear(fromHex(welcome({ received: 2, token: "08" })));

  assert.deepEqual(said(last()).slice(1), [[6, 2], [0, "three"], [0, "four"]]);
  assert.deepEqual(names(events), ["joined", "message", "message", "away CLOSED_BY_PEER", "back"]);
  assert.equal(client.ticket, "seat-08");
});

test("attempts are spaced ever longer, five seconds at most, until the seat is given up", () => {
  const { socket, events, client } = join({ welcome: welcome() });
  const pauses = [];
  socket.onclose();
  for (let pause = 0, before = socket; client.state !== "disconnected" && pauses.length < 100; pause += 10) {
    mock.timers.tick(10);
    if (last() === before) continue;
    pauses.push(pause + 10);
    [before, pause] = [last(), -10];
    before.onclose();
  }

  assert.deepEqual(pauses, [500, 800, 1280, 2050, 3280, 5000]);
  assert.deepEqual(names(events), ["joined", "away CLOSED_BY_PEER", "left CLOSED_BY_PEER"]);
  assert.match(client.reason.text, /^the server or the network broke the link; and then: no server answers at ws:/);
});

for (const [use, serve] of [
  ["lasts for a second", () => mock.timers.tick(1000)],
  ["brings a message", ({ socket }) => socket.hear(framed("a"))],
  ["takes one away", ({ socket, client }) => (client.send("a"), socket.hear(bytes(6, 1)))],
]) test(`who hangs up after each welcome is come back to ever later, until a link ${use}`, () => {
  let { socket, client } = join({ welcome: welcome() });
  const comeBack = () => {
    socket.onclose();
    for (let pause = 10; pause < 10_000; pause += 10) {
      mock.timers.tick(10);
      if (last() === socket) continue;
      socket = last();
      socket.open();
      socket.hear(fromHex(welcome()));
      return pause;
    }
  };

  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(comeBack), [500, 800, 1280, 2050, 3280, 5000, 5000]);
  serve({ socket, client });
  assert.equal(comeBack(), 500);
});

for (const [name, event] of [["online", new Event("online")], ["pageshow", Object.assign(new Event("pageshow"), { persisted: true })], ["visibilitychange", new Event("visibilitychange")]])
  test(`on ${name} it tries at once`, () => {
    const { socket, client } = join({ welcome: welcome() });
    socket.onclose();
    assert.equal(last(), socket);

    window.dispatchEvent(event);

    assert.notEqual(last(), socket);
    assert.equal(client.state, "connecting");
  });

test("a page that is left, and kept by the browser, is away until it is shown again", () => {
  const { socket, client, events } = join({ welcome: welcome() });
  window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted: true }));
  assert.equal(socket.readyState, 3);
  assert.equal(client.state, "connecting");
  assert.equal(last(), socket);

  window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));

  assert.notEqual(last(), socket);
  last().open();
  last().hear(fromHex(welcome()));
  assert.deepEqual(names(events), ["joined", "away CLOSED_BY_PEER", "back"]);
});

test("a page that was just loaded does not begin twice", () => {
  new Client("ws://127.0.0.1:1", { WebSocket: FakeSocket });
  const count = FakeSocket.opened.length;

  window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));

  assert.equal(FakeSocket.opened.length, count);
});

test("a page that is seen again notices soon that the network has gone", () => {
  const { socket, events } = join({ welcome: welcome() });
  window.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual(said(socket).at(-1), [3, 0, 0]);

  for (let second = 0; second < 4; second += 1) mock.timers.tick(1000);

  assert.deepEqual(names(events), ["joined", "away TIMEOUT"]);
});

test("silence ends a link after ten seconds of asking, and is told", () => {
  const { socket, events } = join({ welcome: welcome() });
  for (let second = 0; second < 5; second += 1) mock.timers.tick(1000);
  socket.hear(bytes(4, 0, 0));
  for (let second = 0; second < 10; second += 1) mock.timers.tick(1000);
  assert.deepEqual(names(events), ["joined"]);

  mock.timers.tick(1000);

  assert.deepEqual(names(events), ["joined", "away TIMEOUT"]);
  assert.deepEqual(goodbyes(socket), [10]);
});

test("of several pings the last is answered, with what was received", () => {
  const { socket } = join({ welcome: welcome() });
  socket.hear([...bytes(3, 7, 0), ...framed("a"), ...bytes(3, 8, 0)]);
  socket.hear(framed("b"));

  assert.deepEqual(said(socket).slice(2), [[4, 8, 1]]);
});

test("much that was received is acknowledged", () => {
  const { socket } = join({ welcome: welcome(), options: { maxMessage: 100_000 } });
  socket.hear([0, 0, 0x80, 0x03, 0xc5, 0x80, 0, ...new Uint8Array(0x8000)]);
  assert.equal(said(socket).length, 2);

  socket.hear([0, 0, 0x80, 0x03, 0xc5, 0x80, 0, ...new Uint8Array(0x8000)]);

  assert.deepEqual(said(socket).slice(2), [[6, 2]]);
});

test("leaving says goodbye last, and what still comes is still delivered", () => {
  const { client, socket, events } = join({ welcome: welcome() });
  client.send("one");
  client.close("good game ".repeat(20));
  client.send("too late");
  socket.hear([...framed("a"), ...bytes(3, 1, 0)]);
  assert.equal(client.state, "disconnecting");
  socket.onclose();

  const [, , one, goodbye, ...more] = said(socket);
  assert.deepEqual([one, goodbye[0], goodbye[1], more], [[0, "one"], 5, 3, []]);
  assert.equal(new TextEncoder().encode(goodbye[2]).length, 128);
  assert.deepEqual(names(events), ["joined", "message", "left CLOSED"]);
  assert.deepEqual([client.state, client.ticket], ["disconnected", null]);
});

test("leaving takes five seconds at most", () => {
  const { client, events } = join({ welcome: welcome() });
  client.close();
  mock.timers.tick(5000);

  assert.deepEqual(names(events), ["joined", "left CLOSE_TIMEOUT"]);
});

for (const [when, prepare] of [["connecting", () => join({ welcome: "" })], ["away", () => {
  const joined = join({ welcome: welcome() });
  joined.socket.onclose();
  return joined;
}]])
  test(`leaving while ${when} is done at once, and for good`, () => {
    const { client, events } = prepare();
    client.close();
    const count = FakeSocket.opened.length;
    mock.timers.tick(60_000);
    window.dispatchEvent(new Event("online"));

    assert.equal(names(events).at(-1), "left CLOSED");
    assert.equal(FakeSocket.opened.length, count);
  });

test("who leaves when told of the break is not brought back", () => {
  const { client, socket } = join({ welcome: welcome() });
  client.on("away", () => client.close());
  socket.onclose();
  mock.timers.tick(60_000);

  assert.equal(last(), socket);
  assert.equal(client.reason.name, "CLOSED");
});

test("each attempt that fails is told, and who leaves then is not brought back", () => {
  const { client, socket } = join({ welcome: welcome() });
  const told = [];
  client.on("failed", ({ name, text }) => told.push([name, text]));
  socket.onclose();
  mock.timers.tick(500);
  last().onclose();
  mock.timers.tick(800);
  last().open();
  last().onclose();
  client.on("failed", () => client.close());
  mock.timers.tick(1280);
  const failed = last();
  failed.onclose();
  mock.timers.tick(60_000);

  const refused = ["REFUSED", "no server answers at ws://127.0.0.1:1/"];
  assert.deepEqual(told, [refused, ["CLOSED_BY_PEER", "the server or the network broke the link"], refused]);
  assert.equal(last(), failed);
  assert.equal(client.reason.name, "CLOSED");
});

for (const [what, answer] of [["another number", { id: 2, received: 1 }], ["fewer messages", { received: 0 }], ["more messages", { received: 3 }]])
  test(`a server that knows ${what} has lost the session`, () => {
    const { client, socket, events } = join({ welcome: welcome() });
    client.send("one");
    client.send("two");
    socket.hear(bytes(6, 1));
    socket.onclose();
    mock.timers.tick(500);
    last().open();
    last().hear(fromHex(welcome(answer)));

    assert.deepEqual(names(events), ["joined", "away CLOSED_BY_PEER", "left RESUME_LOST"]);
    assert.deepEqual(goodbyes(last()), [27]);
  });

test("more acknowledged than sent breaks the protocol", () => {
  const { socket, events } = join({ welcome: welcome() });
  socket.hear(bytes(6, 1));

  assert.deepEqual([names(events), goodbyes(socket)], [["joined", "left MALFORMED"], [21]]);
});

for (const [code, name, ending] of [[4, "SHUTDOWN", "left"], [26, "REPLACED", "left"], [999, "OTHER", "left"], [10, "TIMEOUT", "away"]])
  test(`a goodbye of ${name} is ${ending}`, () => {
    const { socket, events } = join({ welcome: welcome() });
    hearGoodbye(socket, code, "a sentence".repeat(20));
    socket.hear(framed("too late"));

    assert.deepEqual(names(events), ["joined", `${ending} ${name}`]);
    assert.deepEqual([events[1][1].code, events[1][1].text.length], [code, 128]);
    assert.deepEqual(goodbyes(socket), []);
  });

test("a greeting that was given up and arrives after all takes our place for a moment only", () => {
  const { socket, events } = join({ welcome: welcome() });
  const comeBack = (pause) => {
    mock.timers.tick(pause);
    last().open();
  };
  socket.onclose();
  comeBack(500);
  last().onclose(); // a proxy has the greeting, and hands it on later
  comeBack(800);
  last().hear(fromHex(welcome()));

  hearGoodbye(last(), 26);
  comeBack(1280);
  last().hear(fromHex(welcome()));
  hearGoodbye(last(), 26);

  assert.deepEqual(names(events), ["joined", "away CLOSED_BY_PEER", "back", "away REPLACED", "back", "left REPLACED"]);
});

test("a server that keeps no seat is not come back to", () => {
  const { socket, events } = join({ welcome: welcome({ token: "" }) });
  socket.onclose();

  assert.deepEqual(names(events), ["joined", "left CLOSED_BY_PEER"]);
});

test("a client that shall not resume asks for no token", () => {
  const { socket } = join({ welcome: "", options: { resume: false } });

  assert.match(toHex(socket.said[0]), /ce00010000c000c0a40d0a0d0a$/);
});

test("who was broken off under the greeting greets again twice, after a rest", () => {
  const { client, socket, events } = join({ welcome: "" });
  socket.onclose();
  for (const rest of [1500, 1800]) {
    const before = last();
    mock.timers.tick(rest - 10);
    assert.equal(last(), before);
    mock.timers.tick(10);
    assert.notEqual(last(), before);
    last().open();
    hearGoodbye(last(), 18, "full"); // of its own ghost
  }

  assert.deepEqual(names(events), ["left SERVER_FULL"]);
  assert.equal(client.id, null);
});

test("who is not wanted after a broken greeting does not ask again", () => {
  const { socket, events } = join({ welcome: "" });
  socket.onclose();
  mock.timers.tick(1500);
  last().open();
  hearGoodbye(last(), 20, "no");

  assert.deepEqual(names(events), ["left DENIED"]);
});

test("who is patient waits also where nobody has what it is here for", () => {
  const { socket, client } = join({ welcome: "", options: { patience: 60 } });
  for (let tries = 0; tries < 4; tries += 1) {
    hearGoodbye(last(), 31, "go on");
    mock.timers.tick(6000);
    last().open();
  }

  assert.notEqual(last(), socket);
  assert.equal(client.state, "connecting");
});

test("a server that is not there is a reason at once, or after some patience", () => {
  const client = new Client("ws://127.0.0.1:1", { WebSocket: FakeSocket });
  last().onclose();
  assert.equal(client.reason.name, "REFUSED");

  const patient = new Client("ws://127.0.0.1:1", { WebSocket: FakeSocket, patience: 3 });
  last().onclose();
  mock.timers.tick(1500);
  last().onclose();
  assert.equal(patient.state, "connecting");
  mock.timers.tick(1800);
  last().onclose();
  assert.equal(patient.reason.name, "REFUSED");
});

test("a server that does not greet is given up after eight seconds", () => {
  const { socket, events } = join({ welcome: "" });
  mock.timers.tick(8000);

  assert.deepEqual([names(events), goodbyes(socket)], [["left HANDSHAKE_TIMEOUT"], [11]]);
});

test("a page that was loaded again takes its seat, and counts from what the server knows", () => {
  const { client, socket } = join({ welcome: "", options: { ticket: `seat-${TOKEN}` } });
  assert.ok(toHex(socket.said[0]).includes(`c420${TOKEN}00c0c3a40d0a0d0a`));
  client.send("one");
  socket.hear(fromHex(welcome({ id: 9, received: 4, first: [6], token: "09" })));
  socket.hear(framed("a"));
  socket.hear(bytes(3, 1, 5));
  socket.onclose();
  mock.timers.tick(500);
  last().open();

  assert.deepEqual(said(socket).slice(1), [[6, 6], [0, "one"], [4, 1, 7]]);
  assert.ok(toHex(last().said[0]).includes("c4010907c0a40d0a0d0a"));
  assert.deepEqual([client.id, client.ticket], [9, "seat-09"]);
});

test("a client is sent on three times, and then waits and asks again where it began", () => {
  const { client } = join({ welcome: "" });
  for (const place of ["a:1", "b:2", "c:3", "d:4"]) {
    hearGoodbye(last(), 31, "go on", place);
    if (place !== "d:4") last().open();
  }

  assert.deepEqual(FakeSocket.opened.slice(-4).map(({ url }) => new URL(url).host), ["127.0.0.1:1", "a:1", "b:2", "c:3"]);
  mock.timers.tick(1500);
  assert.equal(last().url, "ws://127.0.0.1:1/");
  assert.equal(client.state, "connecting");
});

for (const [url, options, follows] of [
  ["ws://game.example:1", {}, true],
  ["ws://game.example:1", { credentials: "secret" }, false],
  ["ws://game.example:1", { ticket: "seat-07" }, false],
  ["wss://game.example:1", { credentials: "secret", ticket: "seat-07" }, true],
])
  test(`${JSON.stringify(options)} ${follows ? "goes" : "does not go"} along from ${url}`, () => {
    const client = new Client(url, { ...options, WebSocket: FakeSocket });
    FakeSocket.clients.push(client);
    const socket = last();
    socket.open();
    hearGoodbye(socket, 31, "go on", "other.example:2");

    assert.equal(last().url, follows ? url.replace("game.example:1", "other.example:2/") : new URL(url).href);
    if (follows) last().open();
    assert.equal(last().said.some((frame) => toHex(frame).includes("c40107")), !follows && "ticket" in options);
  });

test("who was let in decides for itself whether to go on", () => {
  const { socket, events } = join({ welcome: welcome() });
  hearGoodbye(socket, 31, "go on", "other.example:2");

  assert.deepEqual(events[1], ["left", { code: 31, name: "MOVED", text: "go on", where: "other.example:2" }]);
});

for (const [what, message, error] of [
  ["a function", () => 1, TypeError],
  ["a date", [new Date(0)], TypeError],
  ["a set", { a: new Set() }, TypeError],
  ["a symbol", Symbol("a"), TypeError],
  ["an integer of 65 bits", 2n ** 64n, RangeError],
  ["a negative one", -(2n ** 63n) - 1n, RangeError],
  ["more than the server takes", "a".repeat(65_536), RangeError],
])
  test(`${what} cannot be sent`, () => {
    const { client, socket } = join({ welcome: welcome() });

    assert.throws(() => client.send(message), error);
    client.send("fine");
    assert.deepEqual(said(socket).slice(2), [[0, "fine"]]);
  });

test("half of a character is no text that could arrive as it was", () => {
  const { client, socket } = join();

  for (const text of ["\ud83d", "ahoy \ude00", "\ude00\ud83d"])
    for (const message of [text, { [text]: 1 }, [{ text }]]) assert.throws(() => client.send(message), TypeError);
  client.send("\ud83d\ude00");

  assert.deepEqual(said(socket).slice(1), [[6, 0], [0, "😀"]]);
});

test("a goodbye is cut between two characters, and says «?» for half of one", () => {
  for (const [text, told] of [["\ud83d, and on we go", "?, and on we go"], [`${"x".repeat(127)}😀`, "x".repeat(127)]]) {
    const { client, socket } = join();

    client.close(text);

    assert.deepEqual(said(socket).at(-1), [5, 3, told]);
  }
});

test("a zero keeps its sign", () => {
  assert.deepEqual(plain(read(encode([0, -0]))[1]), ["list", ["number", "0"], ["number", "0"]]);
  assert.ok(Object.is(read(encode(-0))[1], -0));
  assert.equal(toHex(encode(-0)), "cb8000000000000000");
});

test("more than is kept for a link that is away ends it at once", () => {
  const { client, socket, events } = join({ welcome: welcome(), options: { maxResend: 70_000 } });
  socket.onclose();
  client.send("x".repeat(60_000));
  assert.equal(client.state, "connecting");

  client.send("x".repeat(20_000));
  client.send("as if nothing had been");

  assert.deepEqual(names(events), ["joined", "away CLOSED_BY_PEER", "left RESUME_LOST"]);
  assert.match(client.reason.text, /^more than maxResend = 70000 bytes were sent while there was no link$/);
  const count = FakeSocket.opened.length;
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.opened.length, count);
});

test("before a server was reached no more is kept either", () => {
  const { client, events } = join({ welcome: "", options: { patience: 60, maxResend: 5000 } });

  for (let count = 0; count < 3; count += 1) client.send("x".repeat(2000));

  assert.deepEqual(names(events), ["left RESUME_LOST"]);
});

for (const [received, ending] of [[1, "left RESUME_LOST"], [2, "back"]])
  test(`while the link is up the oldest is let go, and who comes back with ${received} is ${ending}`, () => {
    const { client, socket, events } = join({ welcome: welcome(), options: { maxResend: 70_000 } });
    for (const [text, times] of [["a", 40_000], ["b", 40_000], ["c", 20_000], ["d", 40_000]]) client.send(text.repeat(times));
    assert.equal(said(socket).length, 6);
    socket.onclose();
    mock.timers.tick(500);
    last().open();

    last().hear(fromHex(welcome({ received })));

    assert.deepEqual(names(events), ["joined", "away CLOSED_BY_PEER", ending]);
    if (ending === "back") assert.deepEqual(said(last()).slice(2).map(([, text]) => text[0]), ["c", "d"]);
  });

test("a single message may always be kept", () => {
  const { client, socket, events } = join({ welcome: welcome(), options: { maxResend: 10 } });
  socket.onclose();

  client.send("x".repeat(60_000));

  assert.deepEqual(names(events), ["joined", "away CLOSED_BY_PEER"]);
});

test("what contains itself cannot be sent", () => {
  const message = [];
  message.push(message);

  assert.throws(() => encode(message), RangeError);
});

test("credentials that make too large a greeting are a mistake at the call", () => {
  assert.throws(() => new Client("ws://127.0.0.1:1", { WebSocket: FakeSocket, credentials: "a".repeat(4096) }), RangeError);
});

test("a key called __proto__ changes no object, and every other form arrives as it was", () => {
  const { socket, events } = join({ welcome: welcome() });
  socket.hear(framed(new Map([["__proto__", { polluted: true }]])));
  socket.hear(framed({ "\ufefftext": "\ufeffmark", large: 2n ** 53n, "": -0 }));

  const [, [, first], [, second]] = events;
  assert.deepEqual(first, new Map([["__proto__", { polluted: true }]]));
  assert.equal({}.polluted, undefined);
  assert.deepEqual(second, { "\ufefftext": "\ufeffmark", large: 2n ** 53n, "": -0 });
  assert.ok(Object.is(second[""], -0));
});

test("fields that are undefined are left out", () => {
  assert.deepEqual(read(encode({ a: undefined, b: [undefined] })), [0, { b: [null] }]);
});

test("what was told is not told again", () => {
  const { socket } = join({ welcome: welcome(), options: { maxMessage: 100_000 } });
  socket.hear([0, 1, 0x00, 0x07, 0xc6, 0, 1, 0, 2, ...new Uint8Array(0x10002)]);
  socket.hear(framed("a"));

  assert.deepEqual(said(socket).slice(2), [[6, 1]]);
});

test("a new client has said nothing that a server could have received", () => {
  const { client, socket, events } = join({ welcome: "" });
  client.send("one");
  socket.hear(fromHex(welcome({ received: 1 })));

  assert.deepEqual(names(events), ["left RESUME_LOST"]);
});

test("without a grace there is no seat to come back to", () => {
  const { client, socket, events } = join({ welcome: welcome({ grace: 0 }) });
  assert.equal(client.ticket, null);
  socket.onclose();

  assert.deepEqual(names(events), ["joined", "left CLOSED_BY_PEER"]);
});

test("moments have 34 bits of seconds where they have 30 of nanoseconds", () => {
  const [, moment] = read(fromHex("d7ff0000001700000001"));

  assert.deepEqual({ ...moment }, { seconds: 3 * 2 ** 32 + 1, nanoseconds: 5 });
});

test("a client that has left listens to nothing", () => {
  const signals = [];
  globalThis.addEventListener = (name, listener, { signal }) => signals.push(signal);
  const { client } = join({ welcome: welcome() });
  globalThis.addEventListener = window.addEventListener.bind(window);
  assert.deepEqual(signals.map(({ aborted }) => aborted), [false, false, false, false]);

  client.close();
  last().onclose();

  assert.deepEqual(signals.map(({ aborted }) => aborted), [true, true, true, true]);
});
