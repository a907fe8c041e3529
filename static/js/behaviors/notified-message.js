/** Leads to the message of a notification that was clicked while its ticket was open: the service worker names its address. */

/** Scrolls to the message and marks it; `<reply-list>` loads the page with it, if this one does not have it. */
export function show(url, page = location) {
  const { hash } = new URL(url, page.href)
  if (hash) page.assign(hash) // scrolls there again, if it is in the address already
}

globalThis.navigator?.serviceWorker?.addEventListener(
  "message",
  ({ data }) => data.notified && show(data.notified),
)
