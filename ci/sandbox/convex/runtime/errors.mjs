// Errors as the server is to report them.
import { SourceMap } from "node:module";
import { sourceOf } from "./modules.mjs";

/** A refusal that becomes an HTTP answer: status, code and message as the real backend's. */
export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Say what pushed code threw, in the real backend's form: "Uncaught Error: text", then the frames of pushed code alone. */
export function describe(error) {
  const name = error?.name ?? "Error";
  const text = error instanceof Error || error?.message !== undefined ? `${name}: ${error.message}` : String(error);
  return [`Uncaught ${text}`, ...frames(error)].join("\n");
}

function frames(error) {
  const lines = String(error?.stack ?? "").split("\n");
  return lines.flatMap((line) => {
    const found = /^ {4}at (?:(.*?) \()?(convex:\/\/\/\d+\/(.*?)):(\d+):(\d+)\)?$/.exec(line);
    if (!found) return [];
    const [, where, url, path, row, column] = found;
    const place = origin(sourceOf(url), Number(row), Number(column)) ?? `../convex/${path}:${row}:${column}`;
    return [`    at ${where ?? "<anonymous>"} (${place})`];
  });
}

function origin(module, row, column) {
  if (!module?.sourceMap) return undefined;
  const found = new SourceMap(JSON.parse(module.sourceMap)).findOrigin(row, column);
  return found.fileName && `${found.fileName}:${found.lineNumber}:${found.columnNumber}`;
}
