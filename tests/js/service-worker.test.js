import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import test from "node:test"
import vm from "node:vm"

const SOURCE = readFileSync(new URL("../../static/js/service-worker.js", import.meta.url), "utf8")
const TICKET = "/tickets/5c1d2e3f-0a9b-4c8d-8e7f-6a5b4c3d2e1f/"
const MESSAGE = `${TICKET}#reply-1`
const SITE = "https://desk.example.com"

/** Runs the worker with pages open at `addresses`; returns what it did. */
function worker(addresses = []) {
  const done = []
  const handlers = {}
  const pages = addresses.map((address) => ({
    url: SITE + address,
    focus: async () => done.push(["focus", address]),
    postMessage: (message) => done.push(["message", address, message.notified]),
  }))
  const self = {
    location: `${SITE}/sw.js`,
    addEventListener: (name, handler) => (handlers[name] = handler),
    skipWaiting: () => done.push(["skipWaiting"]),
    registration: { showNotification: async (...shown) => done.push(["show", ...shown]) },
    clients: {
      matchAll: async ({ includeUncontrolled }) => (includeUncontrolled ? pages : []),
      openWindow: async (url) => done.push(["open", url]),
    },
  }
  vm.runInNewContext(SOURCE, { self, URL })
  return { handlers, done }
}

async function click(addresses, url = MESSAGE) {
  const { handlers, done } = worker(addresses)
  let task
  const notification = { data: { url }, close: () => done.push(["close"]) }
  handlers.notificationclick({ notification, waitUntil: (promise) => (task = promise) })
  await task
  return done
}

test("a push message is shown, with the address of its message", async () => {
  const { handlers, done } = worker()
  const data = { title: "Casey replied", body: "T-1", tag: "7", url: MESSAGE }
  handlers.push({ data: { json: () => data }, waitUntil: () => {} })
  const [[, title, options]] = done
  assert.equal(title, "Casey replied")
  assert.equal(
    JSON.stringify(options),
    JSON.stringify({ body: "T-1", tag: "7", renotify: true, data: { url: MESSAGE } }),
  )
})

test("a click has an open page of the ticket show the message", async () => {
  const open = ["/tickets/", `${TICKET}?list=open#reply-0`]
  assert.deepEqual(await click(open), [["close"], ["message", open[1], MESSAGE], ["focus", open[1]]])
})

test("a click opens a page at the message, if none shows the ticket", async () => {
  assert.deepEqual(await click(["/tickets/", "/profile/"]), [["close"], ["open", MESSAGE]])
})

test("a page scrolls to the message, also again, and stays the same page", async () => {
  const { show } = await import("../../static/js/behaviors/notified-message.js")
  const went = []
  const page = { href: `${SITE}${TICKET}?list=open`, assign: (url) => went.push(url) }
  for (const url of [MESSAGE, MESSAGE, TICKET]) show(url, page)
  assert.deepEqual(went, ["#reply-1", "#reply-1"])
})
