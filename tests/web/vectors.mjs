// Holds netcode.js to the vectors of docs/protocol.md, in whichever program runs JavaScript.
// Each is { kind, bytes, meaning }; tests/test_web_netcode_js.py makes them, and `plain` writes values as it does.
import { Client, encode, read, REASONS, Timestamp } from "../../netcode/web/netcode.js";

export const fromHex = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
export const toHex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Write a value down so that one from Python can be compared with it. */
export function plain(value) {
  if (value === null || typeof value === "boolean") return [`${value}`];
  if (typeof value === "bigint" || Number.isInteger(value)) return ["number", `${BigInt(value)}`];
  if (Number.isNaN(value)) return ["float", "nan"];
  if (typeof value === "number") return ["float", toHex(new Uint8Array(new Float64Array([value]).buffer))];
  if (typeof value === "string") return ["text", value];
  if (value instanceof Uint8Array) return ["bytes", toHex(value)];
  if (value instanceof Timestamp) return ["moment", `${value.seconds}`, `${value.nanoseconds}`];
  if (Array.isArray(value)) return ["list", ...value.map(plain)];
  const pairs = value instanceof Map ? [...value] : Object.entries(value);
  return ["map", ...pairs.map((pair) => pair.map(plain))];
}

/** Order the pairs of maps: JavaScript has an order of its own for keys that look like numbers. */
function sorted(written) {
  if (!Array.isArray(written)) return written;
  const [kind, ...rest] = written.map(sorted);
  const by = (pair) => JSON.stringify(pair);
  return [kind, ...(kind === "map" ? rest.sort((one, other) => (by(one) < by(other) ? -1 : 1)) : rest)];
}

/** A WebSocket to nobody: `hear` is what the server says, `said` what the client does. */
export class FakeSocket {
  static opened = [];
  static clients = [];
  readyState = 0;
  bufferedAmount = 0;
  said = [];

  constructor(url) {
    this.url = url;
    FakeSocket.opened.push(this);
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  send(bytes) {
    if (this.readyState === 0) throw new Error("it is not open");
    if (this.readyState === 1) this.said.push(Uint8Array.from(bytes));
  }

  hear(bytes) {
    this.onmessage({ data: Uint8Array.from(bytes).buffer });
  }

  close() {
    this.readyState = 3;
  }
}

const WELCOME = "00000023c7204e980201cd012cce00100000c40000cb4024000000000000cb0000000000000000";

/** A client whose server has opened the link, and, where nothing else is said, welcomed it. */
export function join({ options = {}, welcome = WELCOME } = {}) {
  const events = [];
  const client = new Client("ws://127.0.0.1:1", { game: "chess", version: "1", maxMessage: 65_536, WebSocket: FakeSocket, ...options });
  FakeSocket.clients.push(client);
  for (const name of ["joined", "message", "away", "back", "left"]) client.on(name, (detail) => events.push([name, detail]));
  const socket = FakeSocket.opened.at(-1);
  socket.open();
  if (welcome) socket.hear(fromHex(welcome));
  return { client, socket, events };
}

/** Let nothing go on that a test began. */
export function finish() {
  for (const client of FakeSocket.clients.splice(0)) client.close();
  for (const socket of FakeSocket.opened.splice(0)) socket.onclose();
}

/** Return the codes of the goodbyes that were said. */
export const goodbyes = (socket) =>
  socket.said.slice(1).map((frame) => read(frame.subarray(4))).filter(([kind]) => kind === 5).map(([, code]) => code);

function same(found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
}

const CHECKS = {
  /** It arrives as what it means, cut into single bytes or not, and means the same when it is sent again. */
  message: (bytes, meaning) => same(plain(read(encode(CHECKS.deep(bytes, meaning)))[1]), meaning),
  /** It arrives, and is too deep for a client to send. */
  deep(bytes, meaning) {
    const { socket, events } = join();
    socket.hear(bytes);
    for (const byte of bytes) socket.hear([byte]);
    same(events.slice(1).map(([name, detail]) => [name, plain(detail)]), [["message", meaning], ["message", meaning]]);
    return events[1][1];
  },
  /** What a server says is read; what a client says is said so. */
  async control(bytes, meaning) {
    const [, kind, , , game, version, , token, received, credentials, anew] = meaning;
    if (kind[1] !== "1") return same(plain(read(bytes.subarray(4))), meaning);
    const ticket = anew?.[0] === "true" ? `seat-${token[1]}` : null;
    const options = { game: game[1], version: version[1], resume: token[0] !== "null", ticket, credentials: value(credentials) };
    const { socket } = token[1] && !ticket ? await comeBack(token[1], Number(received[1]), options) : join({ welcome: "", options });
    const fields = meaning.slice(1).filter(([, text]) => text !== "\r\n\r\n");
    same(toHex(socket.said[0]), toHex(framed([...fields, ["text", "\r\n\r\n"]])));
  },
  /** What anybody may send is read as the decoder of the standard reads it, or refused as there. */
  payload(bytes, meaning) {
    let found = "refused";
    try {
      const message = read(bytes)[1];
      found = sorted(plain(message));
      same(sorted(plain(read(encode(message))[1])), found);
    } catch (error) {
      if (!(error.message === "MALFORMED" || (error instanceof RangeError && /deep/.test(error.message)))) throw error;
    }
    same(found, sorted(meaning));
  },
  /** An open link is ended with that reason. */
  refused(bytes, meaning) {
    const { client, socket, events } = join();
    if (/^00000021(91){32}90$/.test(toHex(bytes))) return same(refusal(bytes, 32), meaning);
    socket.hear(bytes);
    same([goodbyes(socket), client.state, events.at(-1)[1].name], [[REASONS.indexOf(meaning)], "disconnected", meaning]);
  },
  /** A wrong first frame of a server, or of a client, which a server never sends. */
  answer(bytes, meaning) {
    const { client, socket, events } = join({ welcome: "" });
    socket.hear(bytes);
    same([goodbyes(socket), client.state, events.at(-1)[1].name], [[REASONS.indexOf(meaning)], "disconnected", meaning]);
  },
  first(bytes, meaning) {
    if (bytes[7] !== 0x98 || bytes[8] !== 2) CHECKS.answer(bytes, meaning); // a WELCOME is wrong of a client alone
  },
  /** A client goes where it is told, and nowhere else. */
  moved(bytes, meaning) {
    const { socket } = join({ welcome: "" });
    const before = FakeSocket.opened.length;
    socket.hear(bytes);
    same(FakeSocket.opened.slice(before).map(({ url }) => url), meaning[0] === "text" ? [new URL(`ws://${meaning[1]}`).href] : []);
  },
};

/** Return the reason for which a payload is refused where messages nest that deep. */
function refusal(bytes, depth) {
  try {
    read(bytes.subarray(4), depth);
  } catch (error) {
    return error.message;
  }
}

/** Return the value that was written down. */
function value([kind, ...rest]) {
  if (kind === "map") return Object.fromEntries(rest.map((pair) => pair.map(value)));
  if (kind === "number") return Number(rest[0]);
  if (kind === "bytes") return fromHex(rest[0]);
  return { null: null, true: true, text: rest[0] }[kind];
}

/** Write a control message as a client of netcode does. */
function framed(fields) {
  const body = encode(fields.map(value));
  return [0, 0, 0, body.length + 3, 0xc7, body.length, 78, ...body];
}

/** A client that comes back with a token, after so many messages. */
async function comeBack(token, received, options) {
  const welcome = `00000043c7404e980201cd012cce00100000c420${token}00cb4024000000000000cb4024000000000000`;
  const { client, socket } = join({ welcome, options });
  for (let count = 0; count < received; count += 1) socket.hear([0, 0, 0, 1, count]);
  socket.onclose();
  const random = Math.random;
  Math.random = () => 0;
  for (let turn = 0; FakeSocket.opened.at(-1) === socket && turn < 1000; turn += 1) await new Promise((go) => setTimeout(go));
  Math.random = random;
  const next = FakeSocket.opened.at(-1);
  next.open();
  return { client, socket: next };
}

/** Return what went wrong with which vectors. */
export async function failures(vectors) {
  const found = [];
  for (const { kind, bytes, meaning } of vectors) {
    try {
      await CHECKS[kind](fromHex(bytes), meaning);
    } catch (error) {
      found.push(`${kind} ${bytes.slice(0, 60)}: ${error}`);
    }
    finish();
  }
  return found;
}
