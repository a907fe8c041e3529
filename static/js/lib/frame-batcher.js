/** Draws only the latest state of each key, once per frame, however many states arrive. */

const HIDDEN_MS = 250

export class FrameBatcher {
  #draw
  #world
  #states = new Map()
  #isScheduled = false

  /**
   * @param {(states: Map<string, object>) => void} draw is given the latest state by key
   * @param {Window} [world] frames and timers; a hidden page gets no frames, so a timer replaces them
   */
  constructor(draw, world = globalThis) {
    this.#draw = draw
    this.#world = world
  }

  /** Schedules `state` to be drawn, in place of an earlier one of this key. */
  set(key, state) {
    this.#states.delete(key)
    this.#states.set(key, state)
    if (this.#isScheduled) return
    this.#isScheduled = true
    if (this.#world.document.hidden) this.#world.setTimeout(() => this.#flush(), HIDDEN_MS)
    else this.#world.requestAnimationFrame(() => this.#flush())
  }

  /** Drops the state of a key that is gone. */
  delete(key) {
    this.#states.delete(key)
  }

  #flush() {
    this.#isScheduled = false
    const states = this.#states
    this.#states = new Map()
    this.#draw(states)
  }
}
