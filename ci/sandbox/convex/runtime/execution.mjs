// Runs deployed functions on convex-test: calls, journals of paginated queries, scheduled functions.
import { AsyncLocalStorage } from "node:async_hooks";
import { makeFunctionReference } from "convex/server";
import { convexToJson, jsonToConvex } from "convex/values";
import * as database from "./database.mjs";
import { describe } from "./errors.mjs";
import { send } from "./guard.mjs";
import { collect } from "./log.mjs";

const LACKING = /^(1\.0\/storage|storage\/|1\.0\/auditLog)/;

/** The call that is being run: {seq, journal, nextJournal, job}. */
const current = new AsyncLocalStorage();
let deployed = { functions: new Map(), sources: new Map() };

export const store = database.open({
  begin: () => send({ event: "locked", seq: current.getStore()?.seq ?? null }),
  end: () => send({ event: "unlocked" }),
  beforeCommit: () => finishJob(current.getStore()?.job, "success"),
  commit: (changes, counters) => send({ event: "commit", seq: current.getStore()?.seq ?? null, changes, counters }),
});
openSyscalls(store.state);

/** Make these loaded modules the ones that run. */
export function deploy(schema, modules, loaded) {
  const checked = new Map([...loaded].map(([path, exports]) => [path, withCheckedReturns(exports)]));
  database.replaceCode(store, schema, checked);
  const named = [...checked].flatMap(([path, exports]) => Object.entries(exports).map(([name, item]) => [`${path.replace(/\.js$/, "")}:${name}`, item]));
  deployed = { functions: new Map(named), sources: new Map(modules.map((module) => [module.path, module])) };
}

/** Run one function, and return {value} or {error: {message, data?}}, with logLines and journal. */
export async function call({ seq, path, kind, args, journal = null, identity = null, job = null }) {
  const context = { seq, journal, nextJournal: null, job };
  const logLines = [];
  const t = identity ? store.t.withIdentity(identity) : store.t;
  if (kind === "action") send({ event: "started", seq });
  try {
    const run = () => t[kind](makeFunctionReference(path), jsonToConvex(args));
    const value = await current.run(context, () => collect(logLines, run));
    return { value: convexToJson(value ?? null), logLines, journal: context.nextJournal };
  } catch (error) {
    return { error: { message: describe(error, deployed.sources), ...data(error) }, logLines, journal: context.nextJournal };
  }
}

/** Run a scheduled function that is due. A mutation commits together with the job's success, so it runs exactly once. */
export async function runJob({ seq, id }) {
  const job = store.db._documents[id];
  if (job?.state.kind !== "pending") return null;
  const path = job.name.includes(":") ? job.name : `${job.name}:default`;
  const kind = kindOf(deployed.functions.get(path));
  const request = { seq, path, kind, args: convexToJson(job.args[0]) };
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

function kindOf(item) {
  return item?.isMutation ? "mutation" : item?.isQuery ? "query" : "action";
}

async function mark(id, kind) {
  await store.t.run(async () => finishJob(id, kind));
}

function finishJob(id, kind) {
  if (!id) return;
  const completed = kind === "inProgress" ? {} : { completedTime: Date.now() };
  store.db.patch(database.JOBS, id, { state: { kind }, ...completed });
}

function data(error) {
  const custom = error !== null && typeof error === "object" && Symbol.for("ConvexError") in error;
  return custom ? { data: convexToJson(error.data) } : {};
}

// convex-test checks what a mutation returns after it has committed; the real backend rolls back.
function withCheckedReturns(exports) {
  const checked = Object.entries(exports).map(([name, item]) => [name, item?.isMutation ? checkedMutation(item) : item]);
  return Object.fromEntries(checked);
}

function checkedMutation(mutation) {
  const validator = JSON.parse(mutation.exportReturns());
  if (validator === null) return mutation;
  const handler = mutation._handler;
  return Object.assign((...given) => mutation(...given), mutation, {
    exportReturns: () => "null",
    _handler: async (ctx, args) => {
      const value = await handler(ctx, args);
      database.checkValue(store, validator, value ?? null);
      return value;
    },
  });
}

function openSyscalls(state) {
  const { asyncSyscall, jsSyscall } = state;
  state.asyncSyscall = async (name, json) => {
    refuseLacking(name);
    if (name === "1.0/schedule") return schedule(JSON.parse(json));
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

// The server keeps the clock of scheduled functions, so that those pending outlive this process.
function schedule({ name, functionHandle, args, ts }) {
  const path = name ?? functionHandle?.replace(/^function:\/\/;/, "");
  if (path === undefined) throw new Error("the sandbox does not implement scheduling a component's function");
  const [module, exported = "default"] = path.split(":");
  if (!deployed.functions.has(`${module}:${exported}`))
    throw new Error(`Attempted to schedule function, but no exported function ${exported} found in the file: ${module}.js. Did you forget to export it?`);
  const job = { name: path, args: [jsonToConvex(args)], scheduledTime: ts * 1000, state: { kind: "pending" } };
  return JSON.stringify(store.db.insert(database.JOBS, job));
}

// A page ends for ever where it ended when it was first read, so that pages stay without gaps while documents come and go.
async function page(asyncSyscall, args) {
  const context = current.getStore();
  const endCursor = args.endCursor ?? (context?.journal ? JSON.parse(context.journal).endCursor : null);
  const answer = await asyncSyscall("1.0/queryPage", JSON.stringify({ ...args, endCursor }));
  if (context) context.nextJournal = JSON.stringify({ endCursor: endCursor ?? JSON.parse(answer).continueCursor });
  return answer;
}
