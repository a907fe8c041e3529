/** Pages of many users in one process: `open` loads them, `cut` cuts sockets, `look`, `show` and `sum` report on them. */

import { onCommands, report } from "../integration/clients/node/reporting.js"
import { Page } from "./page.js"
import { answers, Tab } from "./tab.js"

const AT_ONCE = 4 // pages that are loaded together
const pages = []

process.stdin.ref() // waits for commands

onCommands({
  async open({ people }) {
    const waiting = [...people]
    await Promise.all(Array.from({ length: AT_ONCE }, () => openAll(waiting)))
    report("opened")
  },
  cut({ share }) {
    for (const page of pages) if (Math.random() < share) page.cut()
  },
  look() {
    report("live", { all: pages.every((page) => page.audit.isConnected) })
  },
  show() {
    report("models", { models: pages.map((page) => page.model) })
  },
  sum() {
    report("sums", { sums: pages.map((page) => page.audit.sum), answers })
  },
})

async function openAll(waiting) {
  while (waiting.length > 0) await open(waiting.shift())
}

/** Loads each page once for all tabs of a user. */
async function open(person) {
  const tab = new Tab(person.cookies, () => {})
  const html = await tab.visit(person.path)
  for (let n = 0; n < person.tabs; n += 1) {
    const page = new Page(person)
    pages.push(page)
    page.show(new Tab(person.cookies, (text) => page.audit.overhear(text, person.secret)), html)
  }
}
