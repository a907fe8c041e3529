/** Notices which messages of a conversation have been on the screen of a visible page. */

const MESSAGE = ".reply"
// A message counts as seen when this much of it is in view: half of it, or of the window.
const PART = 0.5
const THRESHOLDS = [0, 0.25, 0.5, 0.75, 1]

export class SeenMessages {
  #root
  #edges
  #onSeen
  #signal
  #observer
  #seen = new WeakSet()
  #inView = new Set()

  /**
   * @param {HTMLElement} root contains the messages, also those that are added later
   * @param {object} options
   * @param {() => {top: number, bottom: number}} options.edges what of the window shows the conversation
   * @param {(message: HTMLElement) => void} options.onSeen is called once for each message
   * @param {AbortSignal} options.signal the messages are no longer shown
   */
  constructor(root, { edges, onSeen, signal }) {
    this.#signal = signal
    this.#root = root
    this.#edges = edges
    this.#onSeen = onSeen
  }

  start() {
    this.#observer = new IntersectionObserver((entries) => this.#onEntries(entries), {
      threshold: THRESHOLDS,
    })
    for (const message of this.#root.querySelectorAll(MESSAGE)) this.#observer.observe(message)
    new MutationObserver((records) => this.#onAdded(records)).observe(this.#root, {
      childList: true,
      subtree: true,
    })
    const signal = this.#signal
    for (const name of ["scroll", "resize"])
      addEventListener(name, () => this.#check(), { passive: true, signal })
    document.addEventListener("visibilitychange", () => this.#check(), { signal })
    signal.addEventListener("abort", () => this.#observer.disconnect())
  }

  #onAdded(records) {
    for (const node of records.flatMap(({ addedNodes }) => [...addedNodes])) {
      if (node instanceof HTMLElement && node.matches(MESSAGE)) this.#observer.observe(node)
    }
  }

  #onEntries(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#inView.add(target)
      else this.#inView.delete(target)
    }
    this.#check()
  }

  #check() {
    if (document.hidden) return
    const { top, bottom } = this.#edges()
    for (const message of this.#inView) {
      if (this.#seen.has(message) || !isShown(message.getBoundingClientRect(), top, bottom)) continue
      this.#seen.add(message)
      this.#observer.unobserve(message)
      this.#inView.delete(message)
      this.#onSeen(message)
    }
  }
}

/** Returns whether enough of a message lies between the edges. */
export function isShown(box, top, bottom) {
  const shown = Math.min(box.bottom, bottom) - Math.max(box.top, top)
  return shown > 0 && shown >= PART * Math.min(box.height, bottom - top)
}
