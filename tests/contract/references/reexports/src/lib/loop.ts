export * from "./index"
export * from "./back"
