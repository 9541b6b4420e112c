// @ts-check
/**
 * A client of a `netcode` server for web pages, written from the page «The wire, version 1».
 *
 *     const client = new Client("wss://play.example.org:7777", { game: "chess", version: "1" });
 *     client.on("message", (message) => show(message)).on("left", (reason) => show(reason.text));
 *
 * @typedef {{ code: number, name: string, text: string, where?: string }} Reason
 * @typedef {{ joined: number, message: any, away: Reason, back: number, left: Reason }} Events
 * @typedef {{ game?: string, version?: string, credentials?: any, resume?: boolean, ticket?: string | null,
 *   patience?: number, maxMessage?: number, timeout?: number, WebSocket?: typeof WebSocket }} Options
 * @typedef {(...values: any[]) => any} Inner
 */
export const REASONS = (
  "OTHER CLOSED CLOSED_BY_PEER GOODBYE SHUTDOWN RESET REFUSED UNREACHABLE CONNECT_TIMEOUT NAME_NOT_FOUND TIMEOUT " +
  "HANDSHAKE_TIMEOUT CLOSE_TIMEOUT STALLED NOT_NETCODE WRONG_PROTOCOL WRONG_GAME WRONG_VERSION SERVER_FULL TOO_MANY " +
  "DENIED MALFORMED TOO_LARGE TOO_SLOW FLOODING WRONG_SHAPE REPLACED RESUME_LOST NETWORK NO_DESCRIPTORS BROKEN_TLS MOVED"
).split(" ");
const [BROKEN, PASSING] = [[2, 5, 7, 10, 11, 28], [6, 8, 9, 18, 19, 29, 30]]; // nobody wanted those; try again after these
const WHERE = /^([\w.-]+|\[[\da-f.]*:[\da-f.:]*\]):[1-9]\d{0,4}$/i;
const [HELLO, WELCOME, PING, PONG, BYE, ACK, CONTROL] = [1, 2, 3, 4, 5, 6, 78];
const [DEPTH_SENT, DEPTH_TAKEN, UNGREETED, TELL_EVERY, MOST_WAITING] = [32, 40, 4096, 65_536, 1_048_576];

/** @type {Inner} */ const isCount = (value) => (Number.isInteger(value) || typeof value === "bigint") && value >= 0;
/** @type {Inner} */ const isLimit = (value) => isCount(value) && value >= UNGREETED;
/** @type {Inner} */ const isToken = (value) => value instanceof Uint8Array && value.length <= 64;
/** @type {Inner} */ const isSeconds = (value) => typeof value === "number" && value >= 0 && value < 1e9;
/** @type {Inner} */ const isText = (value) => typeof value === "string";
const BEAT = [isCount, isCount];
const FIELDS = [, , [isCount, isCount, isLimit, isToken, isCount, isSeconds, isSeconds], BEAT, BEAT, [isCount, isText], [isCount]];

/** A moment: seconds since 1970, and nanoseconds from 0 to 999,999,999. */
export class Timestamp {
  /** @param {number | bigint} seconds @param {number} nanoseconds */
  constructor(seconds, nanoseconds = 0) {
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
  }
}

/** @type {Inner} */
function bytesOf(value, width, float = false) {
  const view = new DataView(new ArrayBuffer(8));
  if (float) view.setFloat64(0, value);
  else view.setBigInt64(0, BigInt(value));
  return new Uint8Array(view.buffer, 8 - width);
}

/** @type {Inner} */
function sized(size, short, room, first, least) {
  const power = Math.max(least, size < 256 ? 0 : size < 65_536 ? 1 : 2);
  return size < room ? [short | size] : [first + power - least, ...bytesOf(size, 1 << power)];
}

/** @type {Inner} */
function integer(value) {
  if (value >= 2n ** 64n || value < -(2n ** 63n)) throw new RangeError(`${value} does not fit into 64 bits`);
  const size = value < 0 ? -1 - Number(value) : Number(value) / 2;
  const power = [2 ** 7, 2 ** 15, 2 ** 31].filter((most) => size >= most).length;
  if (value >= -32 && value < 128) return [Number(value) & 255];
  return [(value < 0 ? 0xd0 : 0xcc) + power, ...bytesOf(value, 1 << power)];
}

/** @type {Inner} */
function pack(value, depth) {
  if (value === null || value === undefined) return [0xc0];
  if (typeof value === "boolean") return [value ? 0xc3 : 0xc2];
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return integer(value);
  if (typeof value === "number") return [0xcb, ...bytesOf(value, 8, true)];
  const bytes = isText(value) ? new TextEncoder().encode(value) : value;
  if (isText(value)) return [...sized(bytes.length, 0xa0, 32, 0xd9, 0), ...bytes];
  if (value instanceof Uint8Array) return [...sized(bytes.length, 0, 0, 0xc4, 0), ...bytes];
  if (value instanceof Timestamp) return [0xc7, 12, 0xff, ...bytesOf(value.nanoseconds, 4), ...bytesOf(value.seconds, 8)];
  const kind = Object.prototype.toString.call(value).slice(8, -1); // the same in whichever window
  if (!["Array", "Map", "Object"].includes(kind)) throw new TypeError(`${kind} cannot be sent`);
  if (depth === 0) throw new RangeError(`a message nests ${DEPTH_SENT} levels deep at most`);
  const items = kind === "Object" ? Object.entries(value).filter((pair) => pair[1] !== undefined) : [...value];
  const head = kind === "Array" ? sized(items.length, 0x90, 16, 0xdc, 1) : sized(items.length, 0x80, 16, 0xde, 1);
  return [...head, ...(kind === "Array" ? items : items.flat()).flatMap((item) => pack(item, depth - 1))];
}

/** Return `message` as msgpack. Throws `TypeError` or `RangeError` for what cannot be sent. @param {any} message */
export const encode = (message) => Uint8Array.from(pack(message, DEPTH_SENT));

/** @type {Inner} */
function framed(payload) {
  return Uint8Array.from([...bytesOf(payload.length, 4), ...payload]);
}

/** @type {Inner} */
function control(...fields) {
  const body = encode(fields), { length } = body;
  return framed([...(length < 256 ? [0xc7, length] : [0xc8, ...bytesOf(length, 2)]), CONTROL, ...body]);
}

/** @type {Inner} */
function breach(name, text = "the server broke the protocol") {
  return Object.assign(new Error(text), { reason: name });
}

/** Return the only value in `bytes`, and the body of a control message. @type {Inner} */
function unpack(bytes, most, lenient) {
  const view = /** @type {any} */ (new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  const decoder = new TextDecoder("utf-8", { fatal: !lenient, ignoreBOM: true });
  let at = 0, body = null;
  /** @type {Inner} */
  const take = (size) => {
    if ((at += size) > bytes.length) throw RangeError();
    return bytes.slice(at - size, at);
  };
  /** @type {Inner} */
  const number = (type, width) => {
    const value = view[`get${type}${8 * width}`]((at += width) - width);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  };
  /** @type {Inner} */ const size = (power) => number("Uint", 1 << power);
  /** @type {Inner} */ const text = (length) => decoder.decode(take(length));
  /** @type {Inner} */
  const items = (count, depth) => {
    const found = [];
    if (depth === 0) throw RangeError();
    while (found.length < count) found.push(value(depth - 1));
    return found;
  };
  /** @type {Inner} */
  const map = (count, depth) => {
    const found = items(2 * count, depth), pairs = new Map();
    while (found.length) pairs.set(found.shift(), found.shift());
    const plain = [...pairs.keys()].every((key) => isText(key) && key !== "__proto__");
    return plain ? Object.fromEntries(pairs) : pairs;
  };
  /** @type {Inner} */
  const extension = (length, depth) => {
    const code = number("Int", 1);
    if (code === CONTROL && depth === most) return (body = take(length));
    if (code !== -1 || ![4, 8, 12].includes(length)) throw RangeError();
    const first = length === 4 ? 0 : size(2), last = length === 12 ? number("BigInt", 8) : size(2);
    const [seconds, nanoseconds] = length === 8 ? [(first & 3) * 2 ** 32 + last, first >>> 2] : [last, first];
    if (nanoseconds > 999_999_999) throw RangeError();
    return new Timestamp(seconds, nanoseconds);
  };
  /** @type {Inner} */
  const value = (depth) => {
    const first = size(0);
    if (first >= 0xe0) return first - 256;
    if (first >= 0xde) return map(size(first - 0xdd), depth);
    if (first >= 0xdc) return items(size(first - 0xdb), depth);
    if (first >= 0xd9) return text(size(first - 0xd9));
    if (first >= 0xd4) return extension(1 << (first - 0xd4), depth);
    if (first >= 0xd0) return number(first === 0xd3 ? "BigInt" : "Int", 1 << (first - 0xd0));
    if (first >= 0xcc) return number(first === 0xcf ? "BigUint" : "Uint", 1 << (first - 0xcc));
    if (first >= 0xca) return number("Float", 4 << (first - 0xca));
    if (first >= 0xc7) return extension(size(first - 0xc7), depth);
    if (first >= 0xc4) return take(size(first - 0xc4));
    if (first >= 0xc2) return first === 0xc3;
    if (first === 0xc1) throw RangeError();
    if (first === 0xc0) return null;
    if (first >= 0xa0) return text(first & 31);
    if (first >= 0x90) return items(first & 15, depth);
    return first >= 0x80 ? map(first & 15, depth) : first;
  };
  try {
    const found = value(most);
    if (at === bytes.length) return [found, body];
  } catch {}
  throw breach("MALFORMED");
}

/** Return 0 and the message in a payload, or the kind and the fields of a control message there. @type {Inner} */
export function read(payload, depth = DEPTH_TAKEN) {
  const [message, body] = unpack(payload, depth);
  if (!body) return [0, message];
  let fields;
  try {
    [fields] = unpack(body, DEPTH_SENT);
  } catch (error) {
    [fields] = unpack(body, 1 / 0, true);
    if (fields?.[0] !== BYE) throw error; // a goodbye in broken UTF-8 is still a goodbye
  }
  const [kind, ...rest] = Array.isArray(fields) && body.length <= UNGREETED ? fields : [];
  if (kind === HELLO && rest[0] !== "netcode") throw breach("NOT_NETCODE");
  if ((kind === HELLO || kind === WELCOME) && rest[2 - kind] !== 1) throw breach("WRONG_PROTOCOL");
  if (!FIELDS[kind]?.every((isRight, index) => isRight(rest[index]))) throw breach("MALFORMED");
  return fields;
}

/** A link to a server. It connects from construction on, comes back when the link breaks, and tells it all as events. */
export class Client extends EventTarget {
  state = /** @type {"connecting" | "connected" | "disconnecting" | "disconnected"} */ ("connecting");
  id = /** @type {number | null} */ (null);
  reason = /** @type {Reason | null} */ (null);
  rtt = /** @type {number | null} */ (null); // seconds
  ticket = /** @type {string | null} */ (null); // what another page needs to take this seat: a secret

  /** @param {string | URL} url where the server is; by itself where the page came from @param {Options} options */
  constructor(url = ".", options = {}) {
    super();
    const { game = "", version = "", credentials = null, resume = true, ticket, patience = 0 } = options;
    const { maxMessage = 69_632, timeout = 10, WebSocket = globalThis.WebSocket } = options;
    const ears = new AbortController(), { signal } = ears;
    let home = String(new URL(url, globalThis.location?.href)).replace(/^http/, "ws");
    let [anew, token] = [Boolean(ticket), Uint8Array.from(ticket?.slice(5).match(/../g) ?? [], (digits) => parseInt(digits, 16))];
    let [socket, away, parts, kept, pong, timer, beat] = /** @type {any[]} */ ([null, null, [], [], null]);
    let [size, need, greeted, base, keptSize, received, untold, most] = [0, 4, false, 0, 0, 0, 0, 65_536];
    let [until, began, heard, unheard, pings, pinged, attempts, hops, seat, broke] = [Date.now() + 1000 * patience, 0, 0, 0, 0, 0, 0, 0, 0, false];
    this.url = home;

    /** @type {Inner} */
    const tell = (name, detail) => this.dispatchEvent(new CustomEvent(name, { detail }));
    /** @type {Inner} */
    const wait = (seconds, act) => {
      clearTimeout(timer);
      timer = setTimeout(act, 1000 * seconds);
    };
    /** @type {Inner} */
    const say = (...fields) => {
      if (socket?.readyState === 1 && this.state !== "disconnecting") socket.send(control(...fields));
      untold = 0; // all but BYE tell what was received
    };
    /** @type {Inner} */
    const hello = (secret) => {
      const fields = [HELLO, "netcode", 1, game, version, maxMessage, secret, received, credentials];
      return control(...fields, ...(anew ? [true] : []), "\r\n\r\n"); // to which web servers answer
    };
    const drop = () => {
      const last = socket;
      socket = pong = null;
      clearTimeout(timer);
      clearInterval(beat);
      last?.close();
    };
    const connect = () => {
      const mine = (socket = new WebSocket(this.url, "netcode"));
      let end = ["REFUSED", `no server answers at ${this.url}`];
      [mine.binaryType, greeted, parts, size, need, began] = ["arraybuffer", false, [], 0, 4, Date.now()];
      mine.onopen = () => {
        end = ["CLOSED_BY_PEER", "the link broke"];
        wait(3, () => over("HANDSHAKE_TIMEOUT", "the server did not greet", true));
        mine.send(hello(resume ? token : null));
      };
      mine.onmessage = ({ data }) => socket === mine && feed(mine, new Uint8Array(data));
      mine.onclose = () => socket === mine && over(...end);
      wait(5, () => over("CONNECT_TIMEOUT", `${this.url} does not answer`));
    };
    const ping = () => {
      unheard += 1;
      pinged = performance.now();
      say(PING, ++pings, received);
    };
    const tick = () => {
      // Time in which the page slept is its own: it must have asked since.
      const silent = Date.now() - heard >= 1000 * timeout && unheard > 2;
      if (silent) over("TIMEOUT", `nothing was heard for ${timeout} s`, true);
      else if (socket.bufferedAmount > MOST_WAITING) over("TOO_SLOW", "the network is too slow", true);
      else ping();
    };
    /** @type {Inner} */
    const leave = (name, text, code = REASONS.indexOf(name), where) => {
      drop();
      ears.abort();
      [this.state, this.ticket, away, kept] = ["disconnected", null, null, []];
      this.reason = { code, name, text, ...(where && { where }) };
      tell("left", this.reason);
    };
    /** @type {Inner} */
    const retry = (rest, longest) => {
      const left = (until - Date.now()) / 1000;
      const seconds = rest + Math.random() * Math.min(longest, 0.5 * 1.6 ** attempts++);
      this.url = home;
      wait(left > 0 ? Math.min(left, seconds) : seconds, connect);
    };
    /** The link is over: come back, try again, or leave. @type {Inner} */
    const over = (name, text, told, code = REASONS.indexOf(name), where) => {
      if (told) say(BYE, code, text);
      drop();
      const passing = BROKEN.includes(code) || PASSING.includes(code), inTime = Date.now() < until;
      broke ||= name === "CLOSED_BY_PEER" || name === "MOVED";
      if (this.state === "disconnecting") leave("CLOSED", "this player left");
      else if (away && passing && inTime) retry(0, 30);
      else if (away && passing) leave(away.name, `${away.text}; and then: ${text}`);
      else if (this.ticket && !away && BROKEN.includes(code)) {
        [this.state, away, until] = ["connecting", { code, name, text }, Date.now() + 1000 * seat];
        tell("away", away);
        if (away) retry(0, 30);
      } else if (this.id === null && (passing || broke) && (inTime || (broke && attempts < 2))) retry(broke ? 1 : 0, 5);
      else leave(name, text, code, where);
    };
    /** @type {Inner} */
    const acknowledge = (count, name = "MALFORMED") => {
      if (count > base + kept.length) throw breach(name, "the two ends do not mean the same session");
      for (; base < count; base += 1) keptSize -= kept.shift().length;
    };
    /** @type {Inner} */
    const welcome = (_, id, limit, secret, count, __, grace, first) => {
      const back = this.id !== null;
      if (anew) [base, received, anew] = [Number(count), isCount(first) ? Number(first) : 0, false];
      else if (back ? id !== this.id || count < base : count > 0) count = 1 / 0; // not kept, or never sent
      acknowledge(count, "RESUME_LOST");
      if (kept.some((/** @type {any} */ frame) => frame.length > limit + 4)) throw breach("TOO_LARGE", `the server takes ${limit} bytes`);
      [this.state, this.id, most, token, greeted, home] = ["connected", id, Number(limit), secret, true, this.url];
      [away, attempts, hops] = [null, 0, 0];
      const digits = Array.from(token, (byte) => byte.toString(16).padStart(2, "0")).join("");
      this.ticket = grace && digits ? `seat-${digits}` : null;
      seat = grace;
      clearTimeout(timer);
      beat = setInterval(tick, 1000);
      say(ACK, received);
      for (const frame of kept) socket.send(frame);
      tell(back ? "back" : "joined", id);
    };
    /** @type {Inner} */
    const bye = (code, said, place) => {
      const to = new URL(this.url), moved = code === 31 && isText(place) && place.length <= 260 && WHERE.test(place);
      const where = moved && +place.split(":").pop() < 65_536 ? place : undefined;
      if (where) to.host = where;
      // Secrets go nowhere that neither the user named nor a certificate vouches for.
      const safe = to.protocol === "wss:" || to.hostname === new URL(home).hostname || (!anew && credentials === null);
      if (!where || !safe || this.id !== null || ++hops > 3)
        return over(REASONS[code] ?? "OTHER", said.slice(0, 128) || `the server said goodbye (code ${code})`, false, code, where);
      [this.url, token, anew] = [String(to), new Uint8Array(), false];
      drop();
      connect();
    };
    /** @type {Inner} */
    const take = (kind, ...fields) => {
      if (kind === BYE) bye(...fields);
      else if ((kind === WELCOME) === greeted) throw breach("MALFORMED");
      else if (kind === WELCOME) welcome(...fields);
      else if (kind === 0) {
        received += 1;
        tell("message", fields[0]);
      } else {
        acknowledge(fields.slice(0, 2).pop());
        if (kind === PING) [pong] = fields;
        if (kind === PONG && fields[0] === pings) this.rtt = (performance.now() - pinged) / 1000;
      }
    };
    /** @type {Inner} */
    const feed = (mine, data) => {
      [heard, unheard] = [Date.now(), 0];
      parts.push(data);
      size += data.length;
      if (size < need) return;
      const bytes = new Uint8Array(size), view = new DataView(bytes.buffer);
      for (let at = 0; parts.length; at += parts.shift().length) bytes.set(parts[0], at);
      let at = 0;
      try {
        for (need = 4; socket === mine && size - at >= need; need = 4) {
          const length = view.getUint32(at);
          const wrong = !greeted ? "NOT_NETCODE" : length ? "TOO_LARGE" : "MALFORMED";
          if (length === 0 || length > (greeted ? maxMessage : UNGREETED)) throw breach(wrong);
          need += length;
          if (size - at < need) break;
          untold += length;
          at += need;
          take(...read(bytes.subarray(at - length, at)));
        }
      } catch (error) {
        over(/** @type {any} */ (error).reason, /** @type {any} */ (error).message, true);
      }
      if (socket !== mine) return;
      [parts, size] = [[bytes.subarray(at)], size - at];
      if (pong !== null) say(PONG, pong, received);
      else if (untold > TELL_EVERY) say(ACK, received);
      pong = null;
    };
    const wake = () => {
      const failing = !socket || (socket.readyState === 0 && Date.now() - began > 1000);
      if (this.state === "connected") ping();
      if (this.state !== "connecting" || !failing) return;
      drop();
      connect();
    };
    /** Send a message: now, or when there is a link. @param {any} message */
    this.send = (message) => {
      const frame = framed(encode(message));
      if (frame.length > most + 4) throw new RangeError(`a message may have ${most} bytes`);
      if (this.state.startsWith("dis")) return;
      keptSize += frame.length;
      kept.push(frame);
      if (this.state === "connected") socket.send(frame);
      else if (keptSize > MOST_WAITING) leave("RESUME_LOST", "too much was sent while there was no link");
    };
    /** Leave when all is sent; the server reads `text` as the reason. */
    this.close = (text = "this player left") => {
      const bytes = new Uint8Array(128), { written } = new TextEncoder().encodeInto(text, bytes);
      if (this.state === "connecting") return leave("CLOSED", text);
      if (this.state !== "connected") return;
      say(BYE, 3, new TextDecoder().decode(bytes.subarray(0, written)));
      this.state = "disconnecting";
      clearInterval(beat);
      wait(5, () => leave("CLOSE_TIMEOUT", "the server did not end the link"));
    };
    if (ticket && !/^seat-([\da-f]{2}){1,64}$/.test(ticket)) throw new TypeError("ticket must be what client.ticket said");
    if (hello(new Uint8Array(64)).length > UNGREETED) throw new RangeError("the credentials are too large");
    connect();
    globalThis.document?.addEventListener("visibilitychange", wake, { signal });
    for (const name of ["pageshow", "online"]) globalThis.addEventListener?.(name, wake, { signal });
  }

  /** @template {keyof Events} K @param {K} name @param {(detail: Events[K]) => void} listener */
  on(name, listener) {
    this.addEventListener(name, (event) => listener(/** @type {CustomEvent} */ (event).detail));
    return this;
  }
}
