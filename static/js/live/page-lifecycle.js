/** Watches a page's life: ticks each second, wakes from sleep, returns to view. */

const TICK_MS = 1_000
// Timers of a visible page are on time; browsers run those of a hidden page once a minute.
const SLEEP_MS = 30_000
const HIDDEN_SLEEP_MS = 90_000

export class PageLifecycle {
  #handlers
  #world
  #tickedAt
  #sleepLimit

  /**
   * @param {object} handlers
   * @param {() => void} handlers.onTick a second has passed
   * @param {() => void} handlers.onOffline the browser has lost its network
   * @param {() => void} handlers.onWake the page is back from sleep, from a network change or from the browser's cache
   * @param {() => void} handlers.onVisible the user looks at the page again
   * @param {Window} [world]
   */
  constructor(handlers, world = globalThis) {
    this.#handlers = handlers
    this.#world = world
  }

  start() {
    const { document } = this.#world
    this.#world.addEventListener("offline", () => this.#handlers.onOffline())
    this.#world.addEventListener("online", () => this.#handlers.onWake())
    this.#world.addEventListener("pageshow", (event) => event.persisted && this.#handlers.onWake())
    document.addEventListener("visibilitychange", () => document.hidden || this.#handlers.onVisible())
    this.#scheduleTick()
  }

  #scheduleTick() {
    this.#tickedAt = this.#world.Date.now()
    this.#sleepLimit = this.#world.document.hidden ? HIDDEN_SLEEP_MS : SLEEP_MS
    this.#world.setTimeout(() => this.#tick(), TICK_MS)
  }

  #tick() {
    // A clock that was set back would stop what waits for a time, and one that was set forward looks like sleep.
    const elapsed = this.#world.Date.now() - this.#tickedAt
    if (elapsed < 0 || elapsed > this.#sleepLimit) this.#handlers.onWake()
    else this.#handlers.onTick()
    this.#scheduleTick()
  }
}
