/** Shows push messages while no page of the desk is open; a click opens the ticket at the message. */

self.addEventListener("push", (event) => {
  const { title, body, tag, url } = event.data.json()
  event.waitUntil(self.registration.showNotification(title, { body, tag, data: { url } }))
})

self.addEventListener("notificationclick", (event) => {
  event.notification.close()
  event.waitUntil(open(event.notification.data.url))
})

async function open(url) {
  const pages = await self.clients.matchAll({ type: "window" })
  const same = pages.find((page) => new URL(page.url).pathname === new URL(url, self.location).pathname)
  if (same) await same.focus()
  else await self.clients.openWindow(url)
}
