// Watches a room over the end of its server. Prints each change as one line, and asks for a mutation when told to.
import { createInterface } from "node:readline";
import { ConvexClient } from "convex/browser";
import { anyApi as api } from "convex/server";

const [url, room] = process.argv.slice(2);
setTimeout(() => process.exit(1), 30_000).unref();
const client = new ConvexClient(url, { logger: false });
client.onUpdate(api.messages.list, { room }, (texts) => console.log(texts.join() || "nothing"));
for await (const line of createInterface({ input: process.stdin })) client.mutation(api.messages.send, { room, text: line });
await client.close();
