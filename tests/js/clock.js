/** A clock that tests move by hand. */
export class FakeClock {
  now = 0
  #timers = new Map()
  #lastId = 0

  /** @param {() => number} [random] stands in for Math.random */
  constructor(random = () => 0.5) {
    this.random = random
  }

  get pending() {
    return this.#timers.size
  }

  setTimeout(act, ms = 0) {
    this.#lastId += 1
    this.#timers.set(this.#lastId, { act, due: this.now + ms })
    return this.#lastId
  }

  clearTimeout(id) {
    this.#timers.delete(id)
  }

  /** Moves on by `ms`, running what falls due in its order, with all that follows from it. */
  async advance(ms) {
    const end = this.now + ms
    await settle()
    for (let id = this.#nextBefore(end); id !== undefined; id = this.#nextBefore(end)) {
      const { act, due } = this.#timers.get(id)
      this.#timers.delete(id)
      this.now = due
      act()
      await settle()
    }
    this.now = end
  }

  #nextBefore(end) {
    const due = [...this.#timers].filter(([, timer]) => timer.due <= end)
    return due.sort(([, a], [, b]) => a.due - b.due)[0]?.[0]
  }
}

/** Waits until every promise that can settle now has settled. */
export function settle() {
  return new Promise((resolve) => setImmediate(resolve))
}
