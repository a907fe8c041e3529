/** How a page handles the history's responses, from the server or a proxy. */

import assert from "node:assert/strict"
import { afterEach, test } from "node:test"

import { fetchHistory } from "../../static/js/live/history-api.js"

const QUESTION = { since: "cursor", channels: ["private-user.1", "private-office.2"] }
const fetchForReal = globalThis.fetch

function answer(body, { status = 200, headers = {} } = {}) {
  const asked = []
  globalThis.fetch = async (path) => {
    asked.push(path)
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers })
  }
  return asked
}

afterEach(() => {
  globalThis.fetch = fetchForReal
})

test("a page asks for all its channels, from its cursor on", async () => {
  const events = { events: [], cursor: "later", reset: false }
  const asked = answer(events)
  assert.deepEqual(await fetchHistory(QUESTION), events)
  assert.deepEqual(asked, [
    "/broadcasting/history?channel=private-user.1&channel=private-office.2&since=cursor",
  ])
})

test("a refusal says which channels it is about", async () => {
  answer({ detail: "No.", refused: ["private-office.2"] }, { status: 403 })
  await assert.rejects(fetchHistory(QUESTION), { message: "No.", status: 403, refused: ["private-office.2"] })
})

test("what stands in front of the desk and has words of its own says when to come again, too", async () => {
  answer("503 Service Unavailable\n", { status: 503, headers: { "Retry-After": "7" } })
  await assert.rejects(fetchHistory(QUESTION), { status: 503, retryAfter: 7, refused: undefined })
})

test("a page that comes instead of an answer is none", async () => {
  answer("<!doctype html>")
  await assert.rejects(fetchHistory(QUESTION), SyntaxError)
})
