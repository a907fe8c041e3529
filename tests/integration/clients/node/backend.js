/** Pusher's library for Node, at this server: `do` names a method, `with` its arguments; reports the result. */

import { createInterface } from "node:readline"

import Pusher from "pusher"

import { options, report } from "./reporting.js"

const { port, secret } = options
const pusher = new Pusher({ appId: "1", key: "tikm", secret, host: "127.0.0.1", port, useTLS: false })

// Between two commands it has nothing to do, and stays.
process.stdin.ref()

createInterface({ input: process.stdin }).on("line", async (line) => {
  const command = JSON.parse(line)
  try {
    const response = await pusher[command.do](...command.with)
    report("answer", { status: response.status, body: await response.json() })
  } catch (error) {
    report("answer", { status: error.status, body: error.body ?? String(error) })
  }
})
