/** A message that could not be sent is sent again, once, when the server can be reached. */

import assert from "node:assert/strict"
import { test } from "node:test"

import { Resend } from "../../static/js/lib/forms/resend.js"
import { FakeClock } from "./clock.js"

const SECOND = 1_000

function fail({ state = "reconnecting", isUnchanged = () => true } = {}) {
  const clock = new FakeClock()
  const live = Object.assign(new EventTarget(), { state })
  const page = { clock, live, done: [], resend: new Resend(live, clock) }
  page.schedule = (key = "1") =>
    page.resend.schedule({
      key,
      isUnchanged,
      send: () => page.done.push("sent"),
      giveUp: () => page.done.push("gave up"),
    })
  page.become = (next) => {
    live.state = next
    live.dispatchEvent(new Event("state"))
  }
  assert.equal(page.schedule(), true)
  return page
}

for (const state of ["connected", "polling"]) {
  test(`it is sent as soon as the page is ${state}, and not once more`, async () => {
    const page = fail()
    await page.clock.advance(60 * SECOND)
    page.become("reconnecting")
    assert.deepEqual(page.done, [])
    page.become(state)
    page.become(state)
    assert.deepEqual([page.done, page.clock.pending], [["sent"], 0])
    assert.equal(page.schedule(), false)
    assert.equal(page.schedule("2"), true)
  })
}

test("it is sent after three seconds if only the request failed", async () => {
  const page = fail({ state: "connected" })
  await page.clock.advance(3 * SECOND)
  assert.deepEqual([page.done, page.clock.pending], [["sent"], 0])
})

test("a message that was changed waits for its author", async () => {
  const page = fail({ isUnchanged: () => false })
  page.become("connected")
  await page.clock.advance(600 * SECOND)
  assert.deepEqual([page.done, page.clock.pending], [[], 0])
})

test("it waits for five minutes", async () => {
  const page = fail()
  await page.clock.advance(300 * SECOND)
  page.become("connected")
  assert.deepEqual([page.done, page.clock.pending], [["gave up"], 0])
})
