/** What ends with the ticket that a page shows. */

import assert from "node:assert/strict"
import { test } from "node:test"

const listeners = []
globalThis.document = {}
globalThis.addEventListener = (name, task, { signal }) => listeners.push({ name, task, signal })
const { endLifetime, onLeave, signalOf } = await import("../../static/js/lib/page-parts/lifetime.js")

/** An element in a ticket's page, or in none. */
const inside = (page) => ({ closest: () => page })

test("the elements of a ticket end together, after they have said goodbye", () => {
  const page = {}
  const log = []
  signalOf(inside(page)).addEventListener("abort", () => log.push("channels are left"))
  onLeave(inside(page), () => log.push("leaving"))
  endLifetime(page)
  assert.deepEqual(log, ["leaving", "channels are left"])
  assert.equal(listeners.at(-1).signal.aborted, true)
})

test("the elements of another ticket, and of no ticket, stay", () => {
  const [one, other] = [{}, {}]
  const signals = [one, other, null].map((page) => signalOf(inside(page)))
  endLifetime(one)
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, false, false],
  )
})

test("a page that is left says goodbye, and its ticket goes on where the browser keeps it", () => {
  const page = {}
  const log = []
  onLeave(inside(page), () => log.push("leaving"))
  listeners.at(-1).task()
  assert.deepEqual(log, ["leaving"])
  assert.equal(signalOf(inside(page)).aborted, false)
})
