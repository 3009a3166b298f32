// Waits until a query without arguments returns a list that has this text, and prints the list.
import { ConvexClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";

const [url, path, wanted] = process.argv.slice(2);
const client = new ConvexClient(url, { logger: false });
const list = await new Promise((done) => client.onUpdate(makeFunctionReference(path), {}, (found) => found.includes(wanted) && done(found)));
console.log(JSON.stringify(list));
await client.close();
