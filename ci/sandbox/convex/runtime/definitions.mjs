// What the definitions of a push export: convex.config.js of the app and of its components.
import { by } from "./analysis.mjs";
import { missed } from "./environment.mjs";
import { Refusal } from "./errors.mjs";
import { loadOne } from "./loading.mjs";

const DEPENDENCY = "_componentDeps/";
const BARE = { definitionType: { type: "app" }, childComponents: [], httpMounts: {}, exports: { type: "branch", branch: [] } };

/** Return the exported definitions by path, in the CLI's form: a definition can be loaded when those that it uses are. */
export async function exportDefinitions(definitions, variables) {
  const exported = new Map();
  const visiting = new Set();
  const visit = async (path) => {
    if (exported.has(path)) return;
    if (visiting.has(path)) throw new Refusal(400, "CyclicImport", "Found cyclic definition dependency");
    visiting.add(path);
    const { definitionModule, dependencies } = definitions[path];
    for (const dependency of dependencies) await visit(dependency);
    exported.set(path, { path, envVars: [], ...(await evaluated(path, definitionModule, dependencies, exported)) });
  };
  for (const path of Object.keys(definitions)) await visit(path);
  checkVariables(exported.get(""), variables);
  return exported;
}

async function evaluated(path, module, dependencies, exported) {
  if (!module) return BARE;
  const { default: definition } = await loadOne(module, dependencies.map((dependency) => stub(dependency, exported)));
  if (typeof definition?.export !== "function") {
    const place = path === "" ? "your app" : `component \`${path}\``;
    throw new Refusal(400, "InvalidDefinition", `The default export of \`convex.config.ts\` in ${place} has an invalid value (missing \`export\` property on the default export of \`convex.config.ts\`).`);
  }
  const found = definition.export();
  return { ...found, envVars: (found.envVars ?? []).sort(by(0)) };
}

/** The CLI leaves the definitions of components out of a bundle; the backend puts this in the place of each. */
function stub(dependency, exported) {
  const { name } = exported.get(dependency).definitionType;
  const value = { componentDefinitionPath: dependency, defaultName: name };
  const path = DEPENDENCY + Buffer.from(dependency).toString("base64url");
  return { path, source: `export default ${JSON.stringify(value)};`, environment: "isolate" };
}

function checkVariables({ envVars }, variables) {
  const missing = envVars.filter(([name, { optional }]) => !optional && !(name in variables)).map(([name]) => name);
  if (missing.length > 0) {
    missing.forEach(missed);
    const hint = "Set them in the Convex dashboard or CLI before pushing.";
    throw new Refusal(400, "MissingEnvironmentVariables", `Required environment variables are not set: ${missing.join(", ")}. ${hint}`);
  }
}
