// A server with Socket.IO: `node socketio.js PORT CONTROL_PORT`. Each line on CONTROL_PORT is an event for a room.

import { createServer } from "node:http"
import { Server } from "socket.io"
import { listen, text } from "./control.js"

const [port, control] = process.argv.slice(2).map(Number)
const http = createServer()
const io = new Server(http, { transports: ["websocket"] })

io.on("connection", (socket) => {
  socket.on("join", (name) => {
    socket.join(name)
    socket.emit("joined")
  })
})

http.listen({ host: "127.0.0.1", port, backlog: 2048 })
listen(control, (number, name) => io.to(name).emit("event", text(number)))
