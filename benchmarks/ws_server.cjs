// A Pusher-like server on node's `ws` without authorization, to compare the cost of sockets.
const { WebSocketServer } = require("ws")

const channels = new Map()
const message = (event, more) => JSON.stringify({ event, data: "{}", ...more })
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), perMessageDeflate: false })

server.on("connection", (socket) => {
  const subscribed = new Set()
  socket.on("message", (text) => {
    const { channel } = JSON.parse(text).data
    if (!channel) return
    if (!channels.has(channel)) channels.set(channel, new Set())
    channels.get(channel).add(socket)
    subscribed.add(channel)
    socket.send(message("pusher_internal:subscription_succeeded", { channel }))
  })
  socket.on("close", () => {
    for (const channel of subscribed) {
      channels.get(channel).delete(socket)
      if (!channels.get(channel).size) channels.delete(channel)
    }
  })
  socket.send(message("pusher:connection_established"))
})
