/** <toast-list>: shows notifications as they come; toasts disappear after five seconds, when closed, or when read elsewhere. */

import { Announcer } from "../lib/announcer.js"
import { summarized } from "../lib/notifications/summaries.js"
import { config } from "../lib/page-config.js"
import { clone, fill } from "../lib/template.js"
import { live } from "../live/index.js"

const SHOWN_MS = 5_000
const MAX_TOASTS = 4
// Where a toast may stand; toast.css has the positions. The first one that covers no control is taken.
const PLACES = ["end", "start", "middle", "top"]
const CONTROLS = "a, button, input, select, textarea, summary, label, h1, .ticket-row, ticket-composer"

class ToastList extends HTMLElement {
  #announcer
  #notifications = new WeakMap() // what each toast stands for
  #timers = new WeakMap()

  connectedCallback() {
    this.#announcer = new Announcer(this.querySelector("[data-announcement]"), { interval: 3_000 })
    live.stream.on("*", (data, name) => this.#onEvent(name, data), { tests: true })
    live.stream.on("ticket.notified", (data) =>
      afterDrawing(() => isInView(data.ticket) || this.#show(data.kind, data)),
    )
    live.stream.on("ticket.read", ({ ticket }) => this.#of(ticket)?.remove())
    for (const name of ["scrollend", "resize"]) addEventListener(name, () => this.#findPlace())
  }

  /** Shows test events; announces to screen readers what the page itself shows of a change. */
  #onEvent(name, data) {
    if (!document.getElementById(`toast-${name}`) || actor(data)?.id === config.user) return
    if (data.test === true) this.#show(name, data)
    else
      afterDrawing(
        () => isInView(data.ticket) && this.#announcer.announce(clone(`toast-${name}`, data).innerText),
      )
  }

  #of(ticket) {
    return [...this.children].find(({ dataset }) => dataset.ticket === ticket.uuid)
  }

  /** Shows one toast for each ticket. */
  #show(name, data) {
    const earlier = this.#of(data.ticket)
    if (earlier && data.test !== true) this.#count(earlier, data)
    else this.#add(name, data)
  }

  /** Has a toast say how many notifications of its ticket there are, silently: it was announced. */
  #count(toast, data) {
    this.#notifications.get(toast).push(data)
    const text = toast.querySelector("p")
    text.ariaLive = "off"
    const said = summarized(this.#notifications.get(toast))
    text.firstElementChild.replaceWith(clone(`toast-${said.summary ?? said.kind}`, said))
    fill(text, said)
    this.#removeLater(toast)
    this.#findPlace()
  }

  #add(name, data) {
    const toast = clone("toast", {})
    toast.querySelector("[data-slot]").replaceWith(clone(`toast-${name}`, data))
    toast.dataset.test = String(data.test === true)
    if (data.test !== true) toast.dataset.ticket = data.ticket.uuid
    this.#notifications.set(toast, [data])
    toast.querySelector("[data-close]").addEventListener("click", () => toast.remove())
    this.append(toast)
    this.#removeLater(toast)
    const toasts = this.querySelectorAll(":scope > .toast-item")
    if (toasts.length > MAX_TOASTS) toasts[0].remove()
    this.#findPlace()
  }

  /** Keeps a toast that has the pointer or the focus, or that the user has not had a chance to see. */
  #removeLater(toast) {
    const isNeeded = () => document.hidden || toast.matches(":hover, :focus-within")
    clearTimeout(this.#timers.get(toast))
    const remove = () => (isNeeded() ? this.#removeLater(toast) : toast.remove())
    this.#timers.set(toast, setTimeout(remove, SHOWN_MS))
  }

  /** Takes the place that covers the least of the page's controls. */
  #findPlace() {
    if (!this.querySelector(".toast-item")) return
    const controls = visibleControls()
    let best = Number.POSITIVE_INFINITY
    let chosen = PLACES[0]
    for (const place of PLACES) {
      this.dataset.place = place
      const area = controls.reduce((sum, box) => sum + overlap(box, this.getBoundingClientRect()), 0)
      if (area < best) [best, chosen] = [area, place]
    }
    this.dataset.place = chosen
  }
}

/** Rows are drawn with the next frame. */
function afterDrawing(task) {
  requestAnimationFrame(() => requestAnimationFrame(task))
}

function visibleControls() {
  const found = [...document.querySelectorAll(CONTROLS)].filter((element) => !element.closest("toast-list"))
  return found
    .filter((element) => element.checkVisibility())
    .map((element) => element.getBoundingClientRect())
}

function overlap(a, b) {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  return Math.max(0, width) * Math.max(0, height)
}

/** Whether the page shows the ticket: it is open here, its row is in the window, or the list announces it there. */
function isInView(ticket) {
  if (document.querySelector(`ticket-page[data-uuid="${CSS.escape(ticket.uuid)}"]`)) return true
  const row = document.getElementById(`ticket-${ticket.uuid}`)
  return [row, document.querySelector("[data-pending]")].some(isInWindow)
}

function isInWindow(element) {
  if (!element?.checkVisibility()) return false
  const { top, bottom } = element.getBoundingClientRect()
  return bottom > 0 && top < innerHeight
}

function actor(data) {
  return data.updated_by ?? data.changed_by ?? data.created_by ?? data.deleted_by ?? data.reply?.user
}

customElements.define("toast-list", ToastList)
