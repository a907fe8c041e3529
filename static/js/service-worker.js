/** Shows push messages while no page of the desk is open; a click on any notification leads to its message. */

// A new version applies at once: it serves no pages, so that none can be of another version.
self.addEventListener("install", () => self.skipWaiting())

self.addEventListener("push", (event) => {
  const { title, body, tag, url } = event.data.json()
  event.waitUntil(self.registration.showNotification(title, { body, tag, renotify: true, data: { url } }))
})

self.addEventListener("notificationclick", (event) => {
  event.notification.close()
  event.waitUntil(open(event.notification.data.url))
})

/** Has an open page of the ticket show the message (behaviors/notified-message.js), or opens a page. */
async function open(url) {
  const { pathname } = new URL(url, self.location)
  // Pages that were opened before the worker was registered are not controlled by it.
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true })
  const page = pages.find((each) => new URL(each.url).pathname === pathname)
  if (!page) return self.clients.openWindow(url)
  page.postMessage({ notified: url })
  await page.focus()
}
