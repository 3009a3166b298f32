// Waits until a query has this value, both in JSON, and prints it.
import { ConvexClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";

const [url, path, args, wanted] = process.argv.slice(2);
const client = new ConvexClient(url, { logger: false });
const value = await new Promise((done) => client.onUpdate(makeFunctionReference(path), JSON.parse(args), (found) => JSON.stringify(found) === wanted && done(found)));
console.log(JSON.stringify(value));
await client.close();
