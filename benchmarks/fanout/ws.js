// A server with `ws`: `node ws.js PORT CONTROL_PORT`. Each line on CONTROL_PORT, a number and a channel, is an event.

import { WebSocketServer } from "ws"
import { listen, text } from "./control.js"

const [port, control] = process.argv.slice(2).map(Number)
const channels = new Map()

new WebSocketServer({ host: "127.0.0.1", port, backlog: 2048 }).on("connection", (socket, request) => {
  const name = new URL(request.url, "ws://localhost").searchParams.get("channel")
  if (!channels.has(name)) channels.set(name, new Set())
  channels.get(name).add(socket)
  socket.on("close", () => channels.get(name).delete(socket))
})

listen(control, (number, name) => {
  const message = text(number)
  for (const socket of channels.get(name) ?? []) socket.send(message)
})
