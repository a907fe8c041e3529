// Shared by the JavaScript servers: each line on the control port requests an event.

import { createServer } from "node:net"
import { createInterface } from "node:readline"

const SIZE = 650 // bytes

/** Calls `publish(number, channel)` for each line received on a port. */
export function listen(port, publish) {
  createServer({ noDelay: true }, (connection) => {
    createInterface({ input: connection }).on("line", (line) => publish(...line.split(" ")))
  }).listen(port, "127.0.0.1")
}

/** The text of an event, with its number. */
export const text = (number) => `#${number}#`.padEnd(SIZE, "x")
