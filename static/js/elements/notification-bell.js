/** <notification-bell data-unread>: the number of unread notifications, live, and a sheet with the latest ones. */

import { csrfToken } from "../lib/page-config.js"
import { clone } from "../lib/template.js"
import { ThrottledTask } from "../lib/throttled-task.js"
import { live } from "../live/index.js"

const ADDRESS = "/notifications/"
const PERIOD_MS = 2_000
const SPREAD_MS = 1_000
const MAX_SHOWN = 99
// They may change the number: what was sent, was read, or may no longer be seen.
const EVENTS = [
  "ticket.notified",
  "notifications.read",
  "ticket.withdrawn",
  "ticket.access.reduced",
  "ticket.reply.deleted",
  "stream:reset",
]

class NotificationBell extends HTMLElement {
  #link
  #sheet
  #update = new ThrottledTask(() => this.#load(), {
    period: PERIOD_MS,
    spread: SPREAD_MS,
    isAllowed: () => live.state !== "ended",
  })

  connectedCallback() {
    this.#link = this.querySelector("a")
    this.#sheet = this.querySelector("[popover]")
    this.#link.role = "button"
    this.#link.ariaHasPopup = "dialog"
    this.#link.ariaExpanded = "false"
    this.#link.addEventListener("click", (event) => this.#onClick(event))
    this.#link.addEventListener("keydown", (event) => event.key === " " && this.#onClick(event))
    this.#sheet.addEventListener("toggle", ({ newState }) => this.#onToggle(newState === "open"))
    this.#sheet.addEventListener("submit", (event) => this.#onSubmit(event))
    for (const name of EVENTS) live.stream.on(name, () => this.#update.request())
    live.addEventListener("state", () => this.#update.check())
  }

  /** Opens the sheet; with a modifier key the browser opens the page. */
  #onClick(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    this.#sheet.togglePopover()
  }

  #onToggle(isOpen) {
    this.#link.ariaExpanded = String(isOpen)
    if (isOpen) {
      this.#sheet.focus()
      this.#update.request()
      this.#showLatest()
    } else if (this.#sheet.contains(document.activeElement) || document.activeElement === document.body) {
      this.#link.focus()
    }
  }

  async #load() {
    const { unread } = await get("count/")
    this.dataset.unread = String(unread)
    const badge = this.querySelector("[data-badge]")
    badge.hidden = unread === 0
    badge.querySelector("[data-number]").textContent = unread > MAX_SHOWN ? `${MAX_SHOWN}+` : String(unread)
    if (this.#sheet.matches(":popover-open")) await this.#showLatest()
  }

  async #showLatest() {
    const failed = this.querySelector("[data-failed]")
    try {
      const { notifications } = await get("latest/")
      this.#draw(notifications)
      failed.hidden = true
    } catch {
      failed.hidden = false
    }
  }

  #draw(notifications) {
    const focused = this.#focusedAddress
    this.querySelector("ol").replaceChildren(...notifications.map(drawn))
    this.querySelector("[data-empty]").hidden = notifications.length > 0
    this.querySelector("[data-all]").hidden = notifications.every((each) => each.is_read)
    if (focused) (this.querySelector(`ol a[href="${CSS.escape(focused)}"]`) ?? this.#sheet).focus()
  }

  /** Where the focused notification leads, if one has the focus: drawing anew would lose it. */
  get #focusedAddress() {
    const item = document.activeElement?.closest("notification-bell .notification")
    return item?.querySelector("a").getAttribute("href") ?? null
  }

  /** Marks one or all read; the event `notifications.read` then updates all pages. */
  async #onSubmit(event) {
    event.preventDefault()
    const body = new FormData(event.target)
    body.set("csrfmiddlewaretoken", csrfToken())
    await fetch(`${ADDRESS}read/`, { method: "POST", body, redirect: "manual" }).catch(() => {})
    this.#update.request()
    this.#sheet.focus()
  }
}

function drawn(notification) {
  const item = clone("notification", notification)
  item
    .querySelector("[data-slot]")
    .replaceWith(...clone(`toast-${notification.summary ?? notification.kind}`, notification).childNodes)
  return item
}

async function get(path) {
  const response = await fetch(ADDRESS + path, {
    headers: { Accept: "application/json" },
    redirect: "manual",
  })
  if (!response.ok) throw new Error(response.statusText)
  return response.json()
}

customElements.define("notification-bell", NotificationBell)
