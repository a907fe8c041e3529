/** Keeps the newest message of a conversation in view, or opens it at the first unread one, above the composer, which covers the end of the window. */

import { KeyboardInset } from "../forms/keyboard-inset.js"

const MARGIN = 8
// A reader this close to the end sees the end.
const AT_END = 48

export class ReadingPosition {
  #list
  #dock
  #button
  #signal
  #dockHeight = Number.POSITIVE_INFINITY

  /**
   * @param {HTMLElement} list the messages, oldest first
   * @param {HTMLElement} dock holds the composer, at the lower edge of the window
   * @param {HTMLElement} button shows that there is a message below
   * @param {AbortSignal} signal the conversation is no longer shown
   */
  constructor({ list, dock, button, signal }) {
    this.#signal = signal
    this.#list = list
    this.#dock = dock
    this.#button = button
  }

  /**
   * Opens the conversation at `first`, the first unread message with the line above it, or at its end, unless the
   * address or the browser's history has another position.
   */
  start(first = null) {
    this.#watchDock()
    addEventListener("scroll", () => this.#hideButton(), { passive: true, signal: this.#signal })
    this.#button.addEventListener("click", () => this.#reveal(this.#newest))
    if (location.hash || isRestored()) return
    if (first && !this.#isVisible(this.#newest)) this.#openAt(first)
    else this.#reveal(this.#newest)
  }

  /** Shows `first` at the upper edge; the messages below it that are not in view are announced. */
  #openAt(first) {
    this.#reveal(this.#newest)
    const missing = this.#upperEdge + MARGIN - first.getBoundingClientRect().top
    if (missing > 0) scrollBy({ top: -missing, behavior: "instant" })
    this.#showButton()
  }

  /** Opens a page of earlier messages at `first`, the first unread one; without it, at its beginning. */
  startEarlier(first) {
    this.#watchDock()
    if (!first || location.hash || isRestored()) return
    scrollBy({ top: first.getBoundingClientRect().top - this.#upperEdge - MARGIN, behavior: "instant" })
  }

  /** Follows the height and the place of the dock. */
  #watchDock() {
    new ResizeObserver(() => this.#dock.isConnected && this.#onResize()).observe(this.#dock)
    const signal = this.#signal
    new KeyboardInset().watch((growth) => this.#onKeyboard(growth), { signal })
    for (const name of ["scroll", "resize"])
      addEventListener(name, () => this.#onMove(), { passive: true, signal })
    this.#onResize()
    signal.addEventListener("abort", removeEdges)
  }

  /**
   * Applies a change to the conversation. Then shows its end if the user was there or wrote the message, and else
   * keeps the composer in place while the user types, and announces the message below.
   *
   * @param {() => void} change
   * @param {{isOwn?: boolean}} [options] isOwn: the user has just sent it from this page
   */
  apply(change, { isOwn = false } = {}) {
    const follows = isOwn || (this.#isAtEnd() && !isSelecting())
    const newest = this.#newest
    this.#keepComposerStill(change)
    if (this.#newest === newest) return
    if (follows) this.#reveal(this.#newest)
    else this.#showButton()
  }

  /** Applies a change that adds no message. */
  keep(change) {
    const follows = this.#isAtEnd()
    this.#keepComposerStill(change)
    if (follows) this.#reveal(this.#newest)
  }

  /** Shows how many messages are below, if there are any. */
  #showButton() {
    const below = [...this.#list.children].filter(
      (item) => item.matches(".reply") && !this.#isVisible(item),
    ).length
    this.#button.querySelector("[data-number]").textContent = String(below)
    this.#button.hidden = below === 0
  }

  get #newest() {
    return this.#list.lastElementChild
  }

  /** The lower edge of what the user can see of the conversation. */
  get #edge() {
    return Math.min(this.#dock.getBoundingClientRect().top, innerHeight)
  }

  /** Whether the end of the conversation is in view, or was before the dock grew. */
  #isAtEnd(growth = 0) {
    const end = (this.#newest ?? this.#list).getBoundingClientRect().bottom
    return end <= this.#edge + growth + AT_END
  }

  #isVisible(item) {
    return item.getBoundingClientRect().top < this.#edge - AT_END
  }

  /** Scrolls to the end of a message, or to its start if it is higher than the window. */
  #reveal(item) {
    if (!item) return
    const { top, bottom } = item.getBoundingClientRect()
    const covered = bottom + MARGIN - this.#edge
    if (covered > 0)
      scrollBy({ top: Math.min(covered, Math.max(0, top - this.#upperEdge)), behavior: "instant" })
    this.#button.hidden = true
  }

  /** The lower edge of what sticks to the top of the window. */
  get #upperEdge() {
    return Number.parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0
  }

  #hideButton() {
    if (!this.#button.hidden) this.#showButton()
  }

  /** At the window's edge the dock sticks, so that the first step may fall short of what the change has moved. */
  #keepComposerStill(change) {
    const isTyping = this.#dock.contains(document.activeElement)
    const before = this.#dock.getBoundingClientRect().bottom
    change()
    for (let step = 0; isTyping && step < 2; step++) {
      scrollBy({ top: this.#dock.getBoundingClientRect().bottom - before, behavior: "instant" })
    }
  }

  /** The stylesheet keeps toasts and the note on live updates above the composer, also where it does not stick. */
  #onMove() {
    const composer = this.#dock.querySelector("ticket-composer")
    for (const [name, element] of Object.entries({ dock: this.#dock, composer })) {
      const { top } = element.getBoundingClientRect()
      const edge = top > this.#upperEdge ? Math.max(0, innerHeight - top) : 0
      document.documentElement.style.setProperty(`--${name}-edge`, `${edge}px`)
    }
  }

  /** The stylesheet keeps what has the focus above the dock. */
  #onResize() {
    const height = this.#dock.offsetHeight
    document.documentElement.style.setProperty("--dock-size", `${height}px`)
    this.#onMove()
    const growth = height - this.#dockHeight
    this.#dockHeight = height
    if (growth > 0 && this.#isAtEnd(growth)) this.#reveal(this.#newest)
    // Where a line of the composer ends, such as "… is writing", the field with the focus stays where it is.
    const lifted = Math.min(-growth, innerHeight - this.#dock.getBoundingClientRect().bottom)
    if (lifted > 0 && this.#dock.contains(document.activeElement))
      scrollBy({ top: -lifted, behavior: "instant" })
  }

  /** The stylesheet keeps the dock above the keyboard; the end of the conversation stays above the dock. */
  #onKeyboard(growth) {
    this.#onMove()
    if (growth > 0 && this.#isAtEnd(growth)) this.#reveal(this.#newest)
  }
}

/** The next ticket sets its own; without one, nothing is above a composer. */
function removeEdges() {
  for (const name of ["--dock-size", "--dock-edge", "--composer-edge"])
    document.documentElement.style.removeProperty(name)
}

function isSelecting() {
  const selection = getSelection()
  return selection !== null && !selection.isCollapsed
}

/** Whether the browser restores the scroll position, after a reload or on the way back: of what came with the page. */
function isRestored() {
  if (document.readyState === "complete") return false
  const [{ type } = {}] = performance.getEntriesByType("navigation")
  return type === "reload" || type === "back_forward"
}
