// What the servers in JavaScript share: events are asked for by lines, and are as long as everybody's.

import { createServer } from "node:net"
import { createInterface } from "node:readline"

const SIZE = 650 // bytes

/** Calls `tell(number, channel)` for each line that comes on a port. */
export function listen(port, tell) {
  createServer({ noDelay: true }, (connection) => {
    createInterface({ input: connection }).on("line", (line) => tell(...line.split(" ")))
  }).listen(port, "127.0.0.1")
}

/** The text of an event, which says its number. */
export const text = (number) => `#${number}#`.padEnd(SIZE, "x")
