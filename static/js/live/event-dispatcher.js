/** Hands events to the handlers of a page, one event after the other. */

export class EventDispatcher {
  #handlers = new Set()
  #queue = []
  #isDispatching = false
  #isClosed = false

  /** Registers a handler; see `EventStream.on`. */
  on(name, handler, { tests = false, signal } = {}) {
    const entry = { name, handler, tests }
    const remove = () => this.#handlers.delete(entry)
    if (signal?.aborted) return remove
    this.#handlers.add(entry)
    signal?.addEventListener("abort", remove)
    return remove
  }

  /** Calls the handlers of `name`. Events dispatched by a handler wait until all handlers have run. */
  dispatch(name, data) {
    this.#queue.push({ name, data })
    if (this.#isDispatching) return
    this.#isDispatching = true
    try {
      while (this.#queue.length > 0) this.#callHandlers(this.#queue.shift())
    } finally {
      this.#isDispatching = false
    }
  }

  /** Calls no handler from here on. */
  close() {
    this.#isClosed = true
  }

  #callHandlers(event) {
    for (const entry of [...this.#handlers]) {
      if (this.#isClosed) return
      if (this.#handlers.has(entry) && matches(entry, event)) call(entry.handler, event)
    }
  }
}

function matches(entry, { name, data }) {
  if (data?.test === true && !entry.tests) return false
  return entry.name === name || (entry.name === "*" && !isLocal(name))
}

/** Returns whether an event is the stream's own, not the server's. */
function isLocal(name) {
  return name.startsWith("stream:")
}

/** A handler that throws does not keep others from the event. */
function call(handler, { name, data }) {
  try {
    handler(data, name)
  } catch (error) {
    report(error)
  }
}

function report(error) {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error)
  else console.error(error)
}
