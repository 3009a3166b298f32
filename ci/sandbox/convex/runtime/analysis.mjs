// What pushed code declares: functions, HTTP routes, crons, schema, auth providers; sorted as the real backend sorts it.
import { missed, missing } from "./environment.mjs";
import { describe, Refusal } from "./errors.mjs";

const PATH = /^[A-Za-z0-9_.]+$/;
const KINDS = { isQuery: "Query", isMutation: "Mutation", isAction: "Action" };
const ANYTHING = '{"type":"any"}';
const AUTH = "auth.config.js";

/** Refuse paths that the real backend refuses. */
export function checkPaths(modules) {
  for (const { path } of modules) {
    const bad = path.split("/").find((part) => !PATH.test(part));
    if (bad !== undefined)
      throw new Refusal(400, "InvalidConfig", `${path} is not a valid path to a Convex module. Path component ${bad} can only contain alphanumeric characters, underscores, or periods.`);
  }
}

/** Say what each module declares, in the shape of `analysis[""].functions` of start_push. */
export function analyze(modules, loaded) {
  const found = modules.map(({ path }) => [path, path === AUTH ? nothing() : declared(loaded.get(path) ?? {})]);
  return Object.fromEntries(found.sort(by(0)));
}

function nothing() {
  return { functions: [], httpRoutes: null, cronSpecs: null, sourceMapped: null };
}

function declared(exports) {
  const registered = Object.entries(exports).filter(([, item]) => udfType(item));
  const main = Object(exports.default);
  return {
    ...nothing(),
    functions: registered.map(([name, item]) => signature(name, item)),
    httpRoutes: "isRouter" in main ? main.getRoutes().map(([path, method]) => ({ route: { path, method }, pos: null })) : null,
    cronSpecs: "isCrons" in main ? Object.entries(JSON.parse(main.export())).map(([identifier, spec]) => ({ identifier, spec })) : null,
  };
}

// Asked as the real backend asks: an exported `api` has every property that one gets from it, and yet none is in it.
function udfType(item) {
  const found = Object.keys(KINDS).filter((kind) => kind in Object(item));
  return found.length === 1 ? KINDS[found[0]] : undefined;
}

function signature(name, item) {
  return {
    name,
    pos: null,
    udfType: udfType(item),
    visibility: { kind: item.isInternal ? "internal" : "public" },
    args: sorted(item.exportArgs?.() ?? ANYTHING),
    returns: sorted(item.exportReturns?.() ?? "null"),
  };
}

/** Export a schema as the backend reports it: sorted, each database index ending in _creationTime. */
export function exportSchema(schema) {
  const { tables, ...rest } = JSON.parse(schema.export());
  return { ...rest, tables: tables.map(table).sort(by("tableName")) };
}

function table(declaredTable) {
  const filtered = (indexes) => (indexes ?? []).map((index) => ({ ...index, filterFields: [...index.filterFields].sort() })).sort(by("indexDescriptor"));
  const database = (indexes) => (indexes ?? []).map((index) => ({ ...index, fields: [...index.fields, "_creationTime"] })).sort(by("indexDescriptor"));
  return {
    ...declaredTable,
    indexes: database(declaredTable.indexes),
    stagedDbIndexes: database(declaredTable.stagedDbIndexes),
    searchIndexes: filtered(declaredTable.searchIndexes),
    vectorIndexes: filtered(declaredTable.vectorIndexes),
    documentType: declaredTable.documentType && sortFields(declaredTable.documentType),
  };
}

/** Return all public functions of a component as its exports: folders and modules are branches. */
export function fileExports(functions) {
  const root = new Map();
  for (const [path, module] of Object.entries(functions)) {
    for (const { name } of module.functions.filter(({ visibility }) => visibility.kind === "public")) {
      const folders = path.replace(/\.js$/, "").split("/");
      const branch = folders.reduce((at, folder) => at.get(folder) ?? at.set(folder, new Map()).get(folder), root);
      branch.set(name, `_reference/function/${path}:${name}`);
    }
  }
  return exportNode(root);
}

function exportNode(node) {
  if (typeof node === "string") return { type: "leaf", leaf: node };
  return { type: "branch", branch: [...node].sort(by(0)).map(([name, child]) => [name, exportNode(child)]) };
}

/** Evaluate auth.config.js: its providers, or the refusal of the real backend. */
export async function authProviders(module, environment, evaluate) {
  if (!module) return [];
  const real = process.env;
  process.env = new Proxy(environment, {
    get(target, name) {
      if (!(name in target)) missed(name);
      return target[name];
    },
  });
  try {
    return ((await evaluate()).default?.providers ?? []).map(provider);
  } catch (error) {
    throw new Refusal(400, "InvalidAuthConfig", `The pushed auth config is invalid: ${describe(error)}`);
  } finally {
    process.env = real;
    const [first] = missing([module]);
    if (first)
      throw new Refusal(400, "AuthConfigMissingEnvironmentVariable", `Environment variable ${first} is used in auth config file but its value was not set`);
  }
}

function provider({ type, applicationID = null, domain, issuer, jwks, algorithm }) {
  return type === "customJwt" ? { type, applicationID, issuer, jwks, algorithm } : { applicationID, domain };
}

function sorted(json) {
  return typeof json === "string" ? JSON.stringify(sortFields(JSON.parse(json))) : json;
}

function sortFields(value) {
  if (Array.isArray(value)) return value.map(sortFields);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(([key, item]) => [key, sortFields(item)]);
  const copy = Object.fromEntries(entries);
  // Only the fields of an object validator are sorted; the keys of a validator itself keep their order.
  if (copy.type === "object" && copy.value) copy.value = Object.fromEntries(Object.entries(copy.value).sort(by(0)));
  return copy;
}

/** Compare by one key of two objects. */
export function by(key) {
  return (a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0);
}
