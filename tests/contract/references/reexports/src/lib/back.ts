export * from "./loop"
export { server as hopped } from "./index"
