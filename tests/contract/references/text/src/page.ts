import { client } from "./client"

client.query("messages:page") // FOUND: string messages:page
