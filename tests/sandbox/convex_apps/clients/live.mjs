// One client watches a room; another client and a plain HTTP request write to it. Prints what the first one saw.
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { anyApi as api } from "convex/server";

const [url, room] = process.argv.slice(2);
const watcher = new ConvexClient(url, { logger: false });
const writer = new ConvexClient(url, { logger: false });
const http = new ConvexHttpClient(url, { logger: false });
const seen = [];
const saw = (count) =>
  new Promise((done) => {
    const stop = watcher.onUpdate(api.messages.list, { room }, (texts) => {
      if (seen.at(-1) !== texts.join()) seen.push(texts.join());
      if (texts.length === count) setTimeout(() => (stop(), done()));
    });
  });

await saw(0);
const two = saw(2);
await writer.mutation(api.messages.send, { room, text: "one" });
await http.mutation(api.messages.send, { room, text: "two" });
await two;
const relayed = await writer.action(api.work.relay, { room });
const asked = await http.query(api.messages.list, { room });
const refused = await watcher.query(api.messages.refuse, {}).catch((error) => ({ reason: error.data.reason, code: String(error.data.code) }));
const failed = await writer.mutation(api.messages.send, { room: 1 }).catch((error) => error.message.includes("Server Error"));
console.log(JSON.stringify({ seen, relayed, asked, refused, failed }));
await Promise.all([watcher.close(), writer.close()]);
