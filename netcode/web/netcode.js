/**
 * A client of `netcode` for pages; its standard is docs/protocol.md.
 * @typedef {{ code: number, name: string, text: string, where?: string }} Reason
 * @typedef {{ joined: number, message: any, away: Reason, back: number, failed: Reason, left: Reason }} Events
 * @typedef {{ game?: string, version?: string, credentials?: any, resume?: boolean, ticket?: string | null,
 *   patience?: number, maxMessage?: number, maxResend?: number, timeout?: number, WebSocket?: typeof WebSocket }} Options
 * @typedef {(...values: any[]) => any} Inner
 */
export const REASONS = `OTHER CLOSED CLOSED_BY_PEER GOODBYE SHUTDOWN RESET REFUSED UNREACHABLE CONNECT_TIMEOUT NAME_NOT_FOUND
TIMEOUT HANDSHAKE_TIMEOUT CLOSE_TIMEOUT STALLED NOT_NETCODE WRONG_PROTOCOL WRONG_GAME WRONG_VERSION SERVER_FULL TOO_MANY DENIED
MALFORMED TOO_LARGE TOO_SLOW FLOODING WRONG_SHAPE REPLACED RESUME_LOST NETWORK NO_DESCRIPTORS BROKEN_TLS MOVED`.split(/\s/);
const BROKEN = [2, 5, 7, 10, 11, 28], PASSING = [6, 8, 9, 18, 19, 29, 30]; // ends to return after
const HALF = /\p{Surrogate}/gu;
const WHERE = /^([\w.-]+|\[[\da-f.:]+\]):[1-9]\d{0,4}$/i;
const [HELLO, WELCOME, PING, PONG, BYE, ACK, CONTROL] = [1, 2, 3, 4, 5, 6, 78];
const DEPTH_SENT = 32, DEPTH_TAKEN = 40, UNGREETED = 4096, TELL_EVERY = 65_536;
/** @type {Inner} */ const isText = (value) => typeof value === "string";
/** @type {Inner} */ const isCount = (value) => (Number.isInteger(value) || typeof value === "bigint") && value >= 0;
/** @type {Inner} */ const isLimit = (value) => isCount(value) && value >= UNGREETED;
/** @type {Inner} */ const isToken = (value) => value instanceof Uint8Array && value.length <= 64;
/** @type {Inner} */ const isSeconds = (value) => typeof value === "number" && value >= 0 && value < 1e9;
const GREETING = [isCount, isCount, isLimit, isToken, isCount, isSeconds, isSeconds];
const FIELDS = [, , GREETING, [isCount, isCount], [isCount, isCount], [isCount, isText], [isCount]];
export class Timestamp {
  constructor(seconds = /** @type {number | bigint} */ (0), nanoseconds = 0) {
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
  }
}
/** @type {Inner} */ const bytesOf = (value, width) =>
  new Uint8Array(BigInt64Array.of(BigInt.asIntN(64, BigInt(value))).buffer, 0, width).reverse();
/** @type {Inner} */ const sized = (size, short, room, first, least) => {
  const power = Math.max(least, size < 256 ? 0 : size < 65_536 ? 1 : 2);
  return size < room ? [short | size] : [first + power - least, ...bytesOf(size, 1 << power)];
};
/** @type {Inner} */ const integer = (value) => {
  if (value >= -32 && value < 128) return [Number(value) & 255];
  for (const power of [0, 1, 2, 3])
    for (const [first, fit] of /** @type {any[]} */ ([[0xcc, BigInt.asUintN], [0xd0, BigInt.asIntN]]))
      if (fit(8 << power, BigInt(value)) === BigInt(value)) return [first + power, ...bytesOf(value, 1 << power)];
  throw new RangeError("an integer has 64 bits");
};
/** @type {Inner} */ const pack = (value, depth) => {
  if (value === null || value === undefined) return [0xc0];
  if (typeof value === "boolean") return [value ? 0xc3 : 0xc2];
  if (typeof value === "bigint" || (Number.isSafeInteger(value) && !Object.is(value, -0))) return integer(value);
  if (typeof value === "number") return [0xcb, ...new Uint8Array(Float64Array.of(value).buffer).reverse()];
  if (isText(value) && value.search(HALF) >= 0) throw new TypeError("half of a surrogate pair cannot be sent");
  const bytes = isText(value) ? new TextEncoder().encode(value) : value;
  const forms = isText(value) ? [0xa0, 32, 0xd9, 0] : [0, 0, 0xc4, 0];
  if (bytes instanceof Uint8Array) return [...sized(bytes.length, ...forms), ...bytes];
  if (value instanceof Timestamp) return [0xc7, 12, 255, ...bytesOf(value.nanoseconds, 4), ...bytesOf(value.seconds, 8)];
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (!["Array", "Map", "Object"].includes(kind)) throw new TypeError(`${kind} cannot be sent`);
  if (depth === 0) throw new RangeError("it nests too deep");
  const items = kind === "Object" ? Object.entries(value).filter(([, item]) => item !== undefined) : [...value];
  const [flat, ...form] = kind === "Array" ? [items, 0x90, 16, 0xdc, 1] : [items.flat(), 0x80, 16, 0xde, 1];
  return [...sized(items.length, ...form), ...flat.flatMap((item) => pack(item, depth - 1))];
};
/** @param {any} message */
export const encode = (message) => Uint8Array.from(pack(message, DEPTH_SENT));
/** @type {Inner} */ const framed = (payload) => Uint8Array.from([...bytesOf(payload.length, 4), ...payload]);
/** @type {Inner} */ const control = (...fields) => {
  const body = encode(fields);
  return framed([...sized(body.length, 0, 0, 0xc7, 0), CONTROL, ...body]);
};
/** @type {Inner} */ const unpack = (bytes, most, lenient) => {
  const view = /** @type {any} */ (new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  const decoder = new TextDecoder("utf-8", { fatal: !lenient, ignoreBOM: true });
  let at = 0, body = null;
  /** @type {Inner} */ const take = (length) => bytes.slice(at, (at += length));
  /** @type {Inner} */ const number = (type, width) => {
    const value = view[`get${type}${8 * width}`]((at += width) - width);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  };
  /** @type {Inner} */ const size = (power) => number("Uint", 1 << power);
  /** @type {Inner} */ const text = (length) => decoder.decode(take(length));
  /** @type {Inner} */ const items = (length, depth) => {
    const found = [];
    if (depth === 0) throw Error();
    while (length--) found.push(value(depth - 1));
    return found;
  };
  /** @type {Inner} */ const map = (length, depth) => {
    const found = items(2 * length, depth), pairs = new Map();
    for (let index = 0; index < 2 * length; index += 2) pairs.set(found[index], found[index + 1]);
    const plain = [...pairs.keys()].every((key) => isText(key) && key !== "__proto__");
    return plain ? Object.fromEntries(pairs) : pairs;
  };
  /** @type {Inner} */ const extension = (length, depth) => {
    const code = number("Int", 1);
    if (code === CONTROL && depth === most) return (body = take(length));
    const first = length === 4 ? 0 : size(2), last = length === 12 ? number("BigInt", 8) : size(2);
    const [seconds, nanoseconds] = length === 8 ? [(first & 3) * 2 ** 32 + last, first >>> 2] : [last, first];
    if (code !== -1 || ![4, 8, 12].includes(length) || nanoseconds > 999_999_999) throw Error();
    return new Timestamp(seconds, nanoseconds);
  };
  /** @type {Inner} */ const value = (depth) => {
    const first = size(0);
    if (first >= 0xe0) return first - 256;
    if (first >= 0xde) return map(size(first - 0xdd), depth);
    if (first >= 0xdc) return items(size(first - 0xdb), depth);
    if (first >= 0xd9) return text(size(first - 0xd9));
    if (first >= 0xd4) return extension(1 << (first - 0xd4), depth);
    if (first >= 0xcc) return number((first % 4 === 3 ? "Big" : "") + (first < 0xd0 ? "Uint" : "Int"), 1 << first % 4);
    if (first >= 0xca) return number("Float", 4 << (first - 0xca));
    if (first >= 0xc7) return extension(size(first - 0xc7), depth);
    if (first >= 0xc4) return take(size(first - 0xc4));
    if (first === 0xc1) throw Error();
    if (first >= 0xc0) return first === 0xc0 ? null : first === 0xc3;
    if (first >= 0xa0) return text(first & 31);
    if (first >= 0x90) return items(first & 15, depth);
    return first >= 0x80 ? map(first & 15, depth) : first;
  };
  try {
    const found = value(most);
    if (at === bytes.length) return [found, body];
  } catch {}
  throw Error("MALFORMED");
};

/** Return 0 and a message, or the kind and the fields of a control message. @type {Inner} */
export function read(payload, depth = DEPTH_TAKEN) {
  const [message, body] = unpack(payload, depth);
  if (!body) return [0, message];
  const [fields] = unpack(body, UNGREETED, true); // goodbyes in broken UTF-8 count
  const [kind, ...rest] = Array.isArray(fields) && body.length <= UNGREETED ? fields : [];
  if (kind === HELLO && rest[0] !== "netcode") throw Error("NOT_NETCODE");
  if ((kind === HELLO || kind === WELCOME) && rest[2 - kind] !== 1) throw Error("WRONG_PROTOCOL");
  if (!FIELDS[kind]?.every((isRight, index) => isRight(rest[index]))) throw Error("MALFORMED");
  return fields;
}

/** A link to a server that comes back when it breaks. */
export class Client extends EventTarget {
  state = /** @type {"connecting" | "connected" | "disconnecting" | "disconnected"} */ ("connecting");
  id = /** @type {number | null} */ (null);
  reason = /** @type {Reason | null} */ (null);
  ticket = /** @type {string | null} */ (null); // a secret

  /** @param {string | URL} url @param {Options} options */
  constructor(url = ".", options = {}) {
    super();
    const { game = "", version = "", credentials = null, resume = true, ticket, patience = 0 } = options;
    const { maxMessage = 69_632, maxResend = 1_048_576, timeout = 10, WebSocket = globalThis.WebSocket } = options;
    const ears = new AbortController(), pairs = ticket?.slice(5).match(/../g) ?? [];
    let [kept, socket, away, rest, pong, timer] = /** @type {any[]} */ ([[]]), token = Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
    let [base, size, received, untold, heard, unheard, seat, attempts, hops, astray] = Array(10).fill(0);
    let [most, until, greeted, anew] = [UNGREETED, Date.now() + 1000 * patience, false, Boolean(ticket)];
    let home = (this.url = String(new URL(url, globalThis.location?.href)).replace(/^http/, "ws"));
    /** @type {Inner} */ const tell = (name, detail) => this.dispatchEvent(new CustomEvent(name, { detail }));
    /** @type {Inner} */ const wait = (seconds, act) => (clearTimeout(timer), (timer = setTimeout(act, 1000 * seconds)));
    /** @type {Inner} */ const say = (...fields) => {
      if (socket?.readyState === 1 && this.state !== "disconnecting") socket.send(control(...fields));
      untold = 0;
    };
    /** @type {Inner} */ const hello = (secret) =>
      control(HELLO, "netcode", 1, game, version, maxMessage, secret, received, credentials, ...(anew ? [true] : []), "\r\n\r\n");
    const drop = () => {
      clearTimeout(timer);
      socket?.close();
      socket = null;
    };
    const connect = () => {
      drop();
      const mine = (socket = new WebSocket(this.url, "netcode"));
      let end = ["REFUSED", `no server answers at ${this.url}`];
      [mine.binaryType, greeted, rest, pong] = ["arraybuffer", false, [], null];
      wait(8, () => over("HANDSHAKE_TIMEOUT", `no server answers at ${this.url}`, true));
      mine.onmessage = ({ data }) => socket === mine && feed(mine, new Uint8Array(data));
      mine.onclose = () => socket === mine && over(...end);
      mine.onopen = () => {
        end = ["CLOSED_BY_PEER", "the server or the network broke the link"];
        mine.send(hello(resume ? token : null));
      };
    };
    const ping = () => {
      attempts = 0; // it lasts
      if (++unheard > 3 && Date.now() - heard > 1000 * timeout) return over("TIMEOUT", `nothing was heard for ${timeout} s`, true);
      say(PING, 0, received);
      wait(0.9, ping); // hidden pages round to seconds
    };
    /** @type {Inner} */ const leave = (name, text, code = REASONS.indexOf(name), where) => {
      drop();
      ears.abort();
      [this.state, this.ticket, away, kept] = ["disconnected", null, null, []];
      this.reason = { code, name, text, ...(where && { where }) };
      tell("left", this.reason);
    };
    /** @type {Inner} */ const over = (name, text, told, code = REASONS.indexOf(name), where) => {
      const inTime = Date.now() < until, why = { code, name, text };
      const broken = BROKEN.includes(code) || (astray && code === 26), passing = broken || PASSING.includes(code);
      astray = code !== 26 && (away || astray); // a greeting on its way
      if (told) say(BYE, code, text);
      drop();
      if (this.state === "disconnecting") return leave("CLOSED", "this player left");
      if (away && passing && !inTime) return leave(away.name, `${away.text}; and then: ${text}`);
      // Who broke off under the greeting may be in its own way.
      const again = (passing || code === 31) && (inTime || (attempts ? attempts < 2 : code === 2 || code === 31));
      if (this.ticket && broken && !away) [this.state, away, until] = ["connecting", why, Date.now() + 1000 * seat];
      else if (away ? !passing : this.id !== null || !again) return leave(name, text, code, where);
      this.url = home;
      wait((this.id === null ? 1 : 0) + Math.random() * Math.min(5, 0.5 * 1.6 ** attempts++), connect);
      tell(away === why ? "away" : "failed", why);
    };
    const room = () => Math.max(maxResend, most + 4);
    const shed = () => {
      size -= kept.shift().length;
      base += 1;
    };
    /** @type {Inner} */ const acknowledge = (count, name) => {
      if (count > base + kept.length) throw Error(name);
      for (; base < count; attempts = 0) shed();
    };
    /** @type {Inner} */ const welcome = (_, id, limit, secret, count, __, grace, first) => {
      const back = this.id !== null;
      if (anew) [base, received, anew] = [Number(count), isCount(first) ? Number(first) : 0, false];
      else if (back ? id !== this.id || count < base : count > 0) count = 1 / 0;
      acknowledge(count, "RESUME_LOST");
      [this.state, this.id, most, token, seat, greeted, home] = ["connected", id, Number(limit), secret, grace, true, this.url];
      away = null;
      const digits = Array.from(token, (byte) => byte.toString(16).padStart(2, "0"));
      this.ticket = grace && digits[0] ? `seat-${digits.join("")}` : null;
      wait(0.9, ping);
      say(ACK, received);
      for (const frame of kept) socket.send(frame);
      tell(back ? "back" : "joined", id);
    };
    /** @type {Inner} */ const bye = (code, said, place) => {
      const to = new URL(this.url), moved = code === 31 && isText(place) && place.length <= 260 && WHERE.test(place);
      [to.host, to.host] = ["-:1", moved && +place.split(":").pop() < 65_536 ? place : ""];
      const where = to.host !== "-:1" && place;
      // Secrets go to hosts named or proven.
      const safe = to.protocol === "wss:" || to.hostname === new URL(home).hostname || (!anew && credentials === null);
      if (!where || !safe || this.id !== null || ++hops > 3) return over(REASONS[code] ?? "OTHER", said.slice(0, 128), false, code, where);
      [this.url, token, anew] = [String(to), new Uint8Array(), false];
      connect();
    };
    /** @type {Inner} */ const take = (kind, ...fields) => {
      if (kind === BYE) bye(...fields);
      else if ((kind === WELCOME) === greeted) throw Error("MALFORMED");
      else if (kind === WELCOME) welcome(...fields);
      else if (kind === 0) {
        attempts = 0;
        received += 1;
        tell("message", fields[0]);
      } else {
        acknowledge(fields[kind === ACK ? 0 : 1], "MALFORMED");
        if (kind === PING) pong = fields[0];
      }
    };
    /** @type {Inner} */ const feed = (mine, data) => {
      const bytes = new Uint8Array(rest.length + data.length), view = new DataView(bytes.buffer);
      let at = (unheard = 0);
      heard = Date.now();
      bytes.set(rest);
      bytes.set(data, rest.length);
      try {
        while (socket === mine && bytes.length >= at + 4) {
          const length = view.getUint32(at), wrong = !greeted ? "NOT_NETCODE" : length ? "TOO_LARGE" : "MALFORMED";
          if (length === 0 || length > (greeted ? maxMessage : UNGREETED)) throw Error(wrong);
          if (bytes.length < at + 4 + length) break;
          untold += length;
          at += 4 + length;
          take(...read(bytes.subarray(at - length, at)));
        }
      } catch (/** @type {any} */ error) {
        over(error.message, "the server broke the protocol", true);
      }
      if (socket !== mine) return;
      rest = bytes.subarray(at);
      if (pong !== null) say(PONG, pong, received);
      else if (untold > TELL_EVERY) say(ACK, received);
      pong = null;
    };
    /** @type {Inner} */ const wake = ({ persisted }) => {
      if (persisted === false || this.state[0] === "d") return; // just loaded
      heard = Math.min(heard, Date.now() - 1000 * timeout);
      if (socket?.readyState) return greeted && say(PING, 0, received);
      connect();
    };
    /** @param {any} message */
    this.send = (message) => {
      const frame = framed(encode(message));
      if (frame.length > most + 4) throw new RangeError(`a message may have ${most} bytes`);
      if (this.state[0] === "d") return;
      size += frame.length;
      kept.push(frame);
      if (this.state === "connected") socket.send(frame);
      else if (size > room()) leave("RESUME_LOST", `more than maxResend = ${room()} bytes were sent while there was no link`);
      while (kept.length && size > room()) shed();
    };
    this.close = (text = "this player left") => {
      if (this.state === "connecting") leave("CLOSED", text);
      if (this.state !== "connected") return;
      text = text.replace(HALF, "?");
      while (text.search(HALF) >= 0 || encode(text).length > 130) text = text.slice(0, -1);
      say(BYE, 3, text);
      this.state = "disconnecting";
      wait(5, () => leave("CLOSE_TIMEOUT", "the server did not end the link"));
    };
    if (hello(new Uint8Array(64)).length > UNGREETED) throw new RangeError("the credentials are too large");
    connect();
    for (const name of ["visibilitychange", "pageshow", "online"]) globalThis.addEventListener?.(name, wake, ears);
    globalThis.addEventListener?.("pagehide", () => over("CLOSED_BY_PEER", "the page was left"), ears); // it may be kept
  }

  /** @template {keyof Events} K @param {K} name @param {(detail: Events[K]) => void} listener */
  on(name, listener) {
    this.addEventListener(name, (event) => listener(/** @type {CustomEvent} */ (event).detail));
    return this;
  }
}
