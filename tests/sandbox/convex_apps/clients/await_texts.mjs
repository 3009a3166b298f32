// Waits until a room has so many messages, and prints them.
import { ConvexClient } from "convex/browser";
import { anyApi as api } from "convex/server";

const [url, room, count] = process.argv.slice(2);
const client = new ConvexClient(url, { logger: false });
const texts = await new Promise((done) => client.onUpdate(api.messages.list, { room }, (found) => found.length >= Number(count) && done(found)));
console.log(JSON.stringify(texts));
await client.close();
