// Runs deployed functions on convex-test: calls, journals of paginated queries, scheduled functions.
import { AsyncLocalStorage } from "node:async_hooks";
import { convexToJson, jsonToConvex } from "convex/values";
import * as database from "./database.mjs";
import { currentComponent, runIn } from "./environment.mjs";
import { describe } from "./errors.mjs";
import { send } from "./guard.mjs";
import { find, packed, routers, text } from "./http.mjs";
import { collect } from "./log.mjs";

// What a function handle begins with; component path, ";" and function path follow.
const HANDLE = "function://";
const LACKING = /^(1\.0\/storage|storage\/|1\.0\/auditLog)/;

// The module that is added to each component to run its HTTP actions.
const HTTP_ACTION = "_httpAction";

/** The call that is being run: {seq, journal, nextJournal, job, http}. */
const current = new AsyncLocalStorage();
let deployed = new Map();
let served = [];

export const store = database.open({
  begin: () => send({ event: "locked", seq: current.getStore()?.seq ?? null }),
  end: () => send({ event: "unlocked" }),
  beforeCommit: () => finishJob(current.getStore()?.job, "success"),
  commit: (changes, counters) => send({ event: "commit", seq: current.getStore()?.seq ?? null, changes, counters }),
});
openSyscalls(store.state);

/** Make this code the one that runs: {path, schema, loaded} of the app (path "") and of each component. */
export async function deploy(mounts) {
  const ready = mounts.map((mount) => ({ ...mount, loaded: placed(mount) }));
  await database.replaceCode(store, ready);
  const named = ready.flatMap(({ path, loaded }) => [...loaded].flatMap(([module, exports]) => Object.entries(exports).map(([name, item]) => [address(path, module, name), item])));
  deployed = new Map(named);
  served = routers(mounts);
}

/** Return the modules of a component with their functions made to run there. */
function placed({ path, loaded }) {
  const modules = [...loaded].map(([module, exports]) => {
    const functions = Object.entries(exports).map(([name, item]) => [name, "_handler" in Object(item) ? functionIn(path, item) : item]);
    return [module, Object.fromEntries(functions)];
  });
  return new Map([...modules, [`${HTTP_ACTION}.js`, { default: functionIn(path, httpAction) }]]);
}

// convex-test runs HTTP actions of the app alone; as an action, one runs in any component.
const httpAction = Object.assign(() => {}, {
  isAction: true,
  exportArgs: () => '{"type":"any"}',
  exportReturns: () => "null",
  _handler: async (ctx) => {
    const { http } = current.getStore();
    http.response = await packed(await (http.handler._handler ?? http.handler)(ctx, http.request));
    return null;
  },
});

/** Run one function, and return {value} or {error: {message, data?}}, with logLines and journal. */
export async function call({ seq, component = "", path, kind, args, journal = null, identity = null, job = null, http = null }) {
  const context = { seq, journal, nextJournal: null, job, http };
  const logLines = [];
  const t = identity ? store.t.withIdentity(identity) : store.t;
  if (kind === "action") send({ event: "started", seq });
  try {
    const run = () => t[`${kind}FromPath`]({ componentPath: component, udfPath: path }, jsonToConvex(args));
    const value = await current.run(context, () => collect(logLines, run));
    return { value: convexToJson(value ?? null), logLines, journal: context.nextJournal };
  } catch (error) {
    return { error: { message: describe(error), ...data(error) }, logLines, journal: context.nextJournal };
  }
}

/** Answer a request to the site of the deployment: {response} and, if a handler ran, its {answer}. */
export async function serve({ seq, method, url, headers, body, identity = null }) {
  if (served.length === 0) return { response: text(404, "This Convex deployment does not have HTTP actions enabled.") };
  const { component, handler } = find(served, new URL(url).pathname, method) ?? {};
  if (!handler) return { response: text(404, "No matching routes found") };
  const request = new Request(url, { method, headers, body: body ? Buffer.from(body, "base64") : undefined });
  const http = { handler, request, response: null };
  const answer = await call({ seq, component, path: HTTP_ACTION, kind: "action", args: {}, identity, http });
  return { response: http.response, answer };
}

/** Run a scheduled function that is due. A mutation commits together with the job's success, so it runs exactly once. */
export async function runJob({ seq, id }) {
  const db = database.databaseWith(store, id);
  const job = db?._documents[id];
  if (job?.state.kind !== "pending") return null;
  const [component, path] = job.name.startsWith(HANDLE) ? job.name.slice(HANDLE.length).split(";") : [db.componentPath, job.name];
  const kind = kindOf(component, path);
  const request = { seq, component, path, kind, args: convexToJson(job.args[0]) };
  if (kind === "mutation") {
    const answer = await call({ ...request, job: id });
    if (answer.error) await mark(id, "failed");
    return { path, kind, answer };
  }
  await mark(id, "inProgress");
  const answer = await call(request);
  await mark(id, answer.error ? "failed" : "success");
  return { path, kind, answer };
}

/** Run the function of a cron job that is due. */
export async function runCron({ seq, component, path, args }) {
  const kind = kindOf(component, path);
  return { path, kind, answer: await call({ seq, component, path, kind, args }) };
}

function address(component, module, name = "default") {
  return `${HANDLE}${component};${module.replace(/\.js$/, "")}:${name}`;
}

function kindOf(component, path) {
  const item = deployed.get(address(component, ...path.split(":")));
  return item?.isMutation ? "mutation" : item?.isQuery ? "query" : "action";
}

async function mark(id, kind) {
  await store.t.run(async () => finishJob(id, kind));
}

function finishJob(id, kind) {
  if (!id) return;
  const completed = kind === "inProgress" ? {} : { completedTime: Date.now() };
  database.databaseWith(store, id).patch(database.JOBS, id, { state: { kind }, ...completed });
}

function data(error) {
  const custom = error !== null && typeof error === "object" && Symbol.for("ConvexError") in error;
  return custom ? { data: convexToJson(error.data) } : {};
}

/** Return a function as the one of this component: it sees the environment of that. */
function functionIn(component, item) {
  const handler = item.isMutation ? checkedHandler(item) : item._handler;
  return Object.assign((...given) => item(...given), item, {
    ...(item.isMutation && { exportReturns: () => "null" }),
    _handler: (ctx, args) => runIn(component, () => handler(ctx, args)),
  });
}

// convex-test checks what a mutation returns after it has committed; the real backend rolls back.
function checkedHandler(mutation) {
  const validator = JSON.parse(mutation.exportReturns());
  if (validator === null) return mutation._handler;
  return async (ctx, args) => {
    const value = await mutation._handler(ctx, args);
    database.checkValue(store, validator, value ?? null);
    return value;
  };
}

function openSyscalls(state) {
  const { asyncSyscall, jsSyscall } = state;
  state.asyncSyscall = async (name, json) => {
    refuseLacking(name);
    if (name === "1.0/schedule") return await schedule(asyncSyscall, JSON.parse(json));
    if (name === "1.0/queryPage") return await page(asyncSyscall, JSON.parse(json));
    return await asyncSyscall(name, json);
  };
  state.jsSyscall = async (name, args) => {
    refuseLacking(name);
    return await jsSyscall(name, args);
  };
}

function refuseLacking(name) {
  if (LACKING.test(name)) throw new Error(`the sandbox does not implement ${name}`);
}

// The server keeps the clock of scheduled functions, so that those pending outlive this process. One of another component
// is named by its handle.
async function schedule(asyncSyscall, { name, reference, functionHandle, args, ts }) {
  const handle = JSON.parse(await asyncSyscall("1.0/createFunctionHandle", JSON.stringify({ name, reference, functionHandle })));
  const [component, path] = handle.slice(HANDLE.length).split(";");
  const [module, exported = "default"] = path.split(":");
  if (!deployed.has(address(component, module, exported)))
    throw new Error(`Attempted to schedule function, but no exported function ${exported} found in the file: ${module}.js. Did you forget to export it?`);
  const own = component === currentComponent();
  const job = { name: own ? path : handle, args: [jsonToConvex(args)], scheduledTime: ts * 1000, state: { kind: "pending" } };
  return JSON.stringify(database.database(store, currentComponent()).insert(database.JOBS, job));
}

// A page ends for ever where it ended when it was first read, so that pages stay without gaps while documents come and go.
async function page(asyncSyscall, args) {
  const context = current.getStore();
  const endCursor = args.endCursor ?? (context?.journal ? JSON.parse(context.journal).endCursor : null);
  const answer = await asyncSyscall("1.0/queryPage", JSON.stringify({ ...args, endCursor }));
  if (context) context.nextJournal = JSON.stringify({ endCursor: endCursor ?? JSON.parse(answer).continueCursor });
  return answer;
}
