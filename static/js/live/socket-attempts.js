/** Reports sockets that close before they open: pusher-js does not, and waits for 15 to 60 seconds after one. */

/**
 * @param {{Runtime: {createWebSocket: (address: string) => WebSocket}}} pusher the class; its sockets are watched from here on
 * @returns {EventTarget} dispatches "failed" when the latest socket has failed
 */
export function watchAttempts({ Runtime }) {
  const attempts = new EventTarget()
  const create = Runtime.createWebSocket
  let latest = null
  Runtime.createWebSocket = (address) => {
    const socket = create.call(Runtime, address)
    const fail = () => socket === latest && attempts.dispatchEvent(new Event("failed"))
    latest = socket
    socket.addEventListener("close", fail)
    socket.addEventListener("open", () => socket.removeEventListener("close", fail))
    return socket
  }
  return attempts
}
