// Loads pushed modules from memory: the server keeps the sources, so this process needs to read no file of theirs.
import { builtinModules, registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

const SCHEME = "convex:///";
// Where the external packages of Node actions are looked for: a file in the app's package, if one was told.
const PACKAGES = process.argv[2] ? pathToFileURL(`${process.argv[2]}/package.json`).href : null;
// "use node" modules are bundled for Node and may call require; isolate modules may not see it.
const REQUIRE = `import{createRequire as _lockstepRequire}from"node:module";const require=_lockstepRequire("${PACKAGES ?? "file:///"}");`;

const sources = new Map();
let loads = 0;

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith(SCHEME)) return { url: specifier, format: "module", shortCircuit: true };
    if (!context.parentURL?.startsWith(SCHEME)) return next(specifier, context);
    if (/^\.{1,2}\//.test(specifier)) return { url: new URL(specifier, context.parentURL).href, format: "module", shortCircuit: true };
    if (sources.get(context.parentURL)?.environment === "node") {
      if (specifier.startsWith("node:") || builtinModules.includes(specifier)) return next(specifier, context);
      if (PACKAGES) return next(specifier, { ...context, parentURL: PACKAGES });
    }
    throw new Error(`Could not resolve "${specifier}"`);
  },
  load(url, context, next) {
    if (!url.startsWith(SCHEME)) return next(url, context);
    const module = sources.get(url);
    if (!module) throw new Error(`Couldn't find JavaScript module '${url.replace(/^convex:\/\/\/\d+\//, "")}'`);
    return { format: "module", source: (module.environment === "node" ? REQUIRE : "") + module.source, shortCircuit: true };
  },
});

/** Return the pushed module that was loaded as this URL. */
export function sourceOf(url) {
  return sources.get(url);
}

/** Import these modules, apart from every earlier load of the same paths. Returns path -> what the module exports. */
export async function load(modules) {
  const prefix = `${SCHEME}${++loads}/`;
  for (const module of modules) sources.set(prefix + module.path, module);
  const entries = modules.filter((module) => !module.path.startsWith("_deps/"));
  const loaded = new Map();
  for (const { path } of entries) loaded.set(path, await import(prefix + path));
  return loaded;
}
