// What authors write: TypeScript must find the mistakes in it, and no others. It is never run.
import { Client, encode, Timestamp } from "../../netcode/web/netcode.js";

const client = new Client("wss://play.example.org", { game: "chess", version: "1", credentials: { name: "Ann" }, ticket: null });
client
  .on("joined", (id) => id.toFixed())
  .on("message", (message) => message.anything)
  .on("away", ({ name, text }) => `${name}: ${text}`)
  .on("left", (reason) => reason.where?.toUpperCase());
client.send({ move: [1, 2n, new Timestamp(1n, 5)], at: new Map([[1, new Uint8Array(2)]]) });
client.addEventListener("left", () => client.close("good game"));
encode(client.ticket).subarray(1);
new Client();

// @ts-expect-error: there is no such event
client.on("quit", () => {});
// @ts-expect-error: a reason has no such field
client.on("left", (reason) => reason.message);
// @ts-expect-error: there is no such option
new Client("wss://play.example.org", { gmae: "chess" });
// @ts-expect-error: a game's name is a text
new Client("wss://play.example.org", { game: 7 });
// @ts-expect-error: it may be null
client.ticket.length;
// @ts-expect-error: no such state
client.state === "closed";
