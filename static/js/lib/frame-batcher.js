/** Draws the latest state of a thing once a frame, however many came: of a burst only the last one is seen. */

const HIDDEN_MS = 250

export class Latest {
  #draw
  #world
  #waiting = new Map()
  #isDue = false

  /**
   * @param {(states: Map<string, object>) => void} draw takes the last state of each thing that has one
   * @param {Window} [world] frames, timers, and whether anybody sees the page: nobody draws frames of one out of sight
   */
  constructor(draw, world = globalThis) {
    this.#draw = draw
    this.#world = world
  }

  /** Takes the place of what was to be drawn of this thing. */
  set(key, state) {
    this.#waiting.delete(key)
    this.#waiting.set(key, state)
    if (this.#isDue) return
    this.#isDue = true
    if (this.#world.document.hidden) this.#world.setTimeout(() => this.#flush(), HIDDEN_MS)
    else this.#world.requestAnimationFrame(() => this.#flush())
  }

  /** Draws nothing of this thing: it is gone. */
  delete(key) {
    this.#waiting.delete(key)
  }

  #flush() {
    this.#isDue = false
    const states = this.#waiting
    this.#waiting = new Map()
    this.#draw(states)
  }
}
