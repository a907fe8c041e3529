/** How long a ticket is shown: its elements end with it, also where another ticket takes its place on the page. */

/** @type {WeakMap<Node, {controller: AbortController, onLeave: Set<() => void>}>} */
const lifetimes = new WeakMap()

function lifetimeOf(element) {
  const owner = element.closest("ticket-page") ?? document
  if (!lifetimes.has(owner)) lifetimes.set(owner, { controller: new AbortController(), onLeave: new Set() })
  return lifetimes.get(owner)
}

/**
 * Returns the signal that is aborted when the ticket of `element` is no longer shown; of elements of other pages never.
 *
 * @param {HTMLElement} element
 */
export function signalOf(element) {
  return lifetimeOf(element).controller.signal
}

/** Calls `task` when the page is left, and before the ticket of `element` ends, while its channels are still there. */
export function onLeave(element, task) {
  lifetimeOf(element).onLeave.add(task)
  addEventListener("pagehide", task, { signal: signalOf(element) })
}

/** Ends what belongs to the ticket that `page`, a <ticket-page>, has shown. */
export function endLifetime(page) {
  const lifetime = lifetimes.get(page)
  if (!lifetime) return
  for (const task of lifetime.onLeave) task()
  lifetime.controller.abort()
}
