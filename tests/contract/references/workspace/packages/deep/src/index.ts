export * from "@acme/backend"
