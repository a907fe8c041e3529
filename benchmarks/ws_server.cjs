// A server on node's `ws` that greets and subscribes as ours does, and asks nobody: what sockets cost there.
const { WebSocketServer } = require("ws")

const channels = new Map()
const answer = (event, more) => JSON.stringify({ event, data: "{}", ...more })
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), perMessageDeflate: false })

server.on("connection", (socket) => {
  const heard = new Set()
  socket.on("message", (text) => {
    const { channel } = JSON.parse(text).data
    if (!channel) return
    if (!channels.has(channel)) channels.set(channel, new Set())
    channels.get(channel).add(socket)
    heard.add(channel)
    socket.send(answer("pusher_internal:subscription_succeeded", { channel }))
  })
  socket.on("close", () => {
    for (const channel of heard) {
      channels.get(channel).delete(socket)
      if (!channels.get(channel).size) channels.delete(channel)
    }
  })
  socket.send(answer("pusher:connection_established"))
})
