/** Watches over a page: its seconds, its sleep, its network, and whether anybody sees it. */

const TICK_MS = 1_000
// In sight, timers are on time. Out of sight, browsers let them run once a minute.
const SLEEP_MS = 30_000
const HIDDEN_SLEEP_MS = 90_000

export class Watch {
  #act
  #world
  #tickedAt
  #patience

  /**
   * @param {object} act
   * @param {() => void} act.ticked a second has passed
   * @param {() => void} act.woke the page comes back from sleep, from a change of network, or from the browser's cache
   * @param {() => void} act.seen somebody looks at it again
   * @param {Window} [world]
   */
  constructor(act, world = globalThis) {
    this.#act = act
    this.#world = world
  }

  start() {
    const { document } = this.#world
    this.#world.addEventListener("online", () => this.#act.woke())
    this.#world.addEventListener("pageshow", (event) => event.persisted && this.#act.woke())
    document.addEventListener("visibilitychange", () => document.hidden || this.#act.seen())
    this.#rest()
  }

  #rest() {
    this.#tickedAt = this.#world.Date.now()
    this.#patience = this.#world.document.hidden ? HIDDEN_SLEEP_MS : SLEEP_MS
    this.#world.setTimeout(() => this.#tick(), TICK_MS)
  }

  #tick() {
    if (this.#world.Date.now() - this.#tickedAt > this.#patience) this.#act.woke()
    else this.#act.ticked()
    this.#rest()
  }
}
