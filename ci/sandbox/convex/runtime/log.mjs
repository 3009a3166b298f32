// What pushed code prints: one line a call, in the form in which the real backend reports it.
import { AsyncLocalStorage } from "node:async_hooks";
import { inspect } from "node:util";

const sink = new AsyncLocalStorage();

/** Run `work`, and collect in `lines` what it prints. */
export function collect(lines, work) {
  return sink.run(lines, work);
}

function text(value) {
  return typeof value === "string" ? `'${value.replace(/[\\']/g, "\\$&").replaceAll("\n", "\\n")}'` : inspect(value, { depth: 5 });
}

for (const level of ["debug", "error", "info", "log", "warn"]) {
  console[level] = (...values) => {
    const line = `[${level.toUpperCase()}] ${values.map(text).join(" ")}`;
    // Outside a call, which is while a module loads, nobody is there to read it.
    sink.getStore()?.push(line);
  };
}
