/** <relative-time datetime>: how long ago, in the page's language; the exact time stays in its title. */

import { config } from "../lib/page-config.js"

const REFRESH_MS = 30_000
const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
]

const language = document.documentElement.lang || "en"
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" })
const exact = new Intl.DateTimeFormat(language, {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: config.time_zone || undefined,
})

class RelativeTime extends HTMLElement {
  static observedAttributes = ["datetime"]

  connectedCallback() {
    shown.add(this)
    this.show()
  }

  disconnectedCallback() {
    shown.delete(this)
  }

  attributeChangedCallback() {
    if (this.isConnected) this.show()
  }

  /** Writes how long ago it is now. */
  show() {
    const moment = new Date(this.getAttribute("datetime"))
    if (Number.isNaN(moment.getTime())) return
    this.textContent = inWords((moment.getTime() - Date.now()) / 1000)
    this.title = exact.format(moment)
  }
}

function inWords(seconds) {
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? [
    "second",
    Number.POSITIVE_INFINITY,
  ]
  return relative.format(unit === "second" ? 0 : Math.round(seconds / size), unit)
}

const shown = new Set()
setInterval(() => {
  for (const element of shown) element.show()
}, REFRESH_MS)
customElements.define("relative-time", RelativeTime)
