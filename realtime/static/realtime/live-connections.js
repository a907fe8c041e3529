/**
 * <live-connections data-every>: refreshes the admin's page of live connections, every `data-every` milliseconds.
 * Elements are updated in place, so that focus, open details and scroll positions stay.
 */
class LiveConnections extends HTMLElement {
  #timer = 0
  #isFetching = false

  connectedCallback() {
    this.bar.hidden = false
    this.button.addEventListener("click", () => this.#pause(this.button.ariaPressed !== "true"))
    document.addEventListener("visibilitychange", this.#refresh)
    this.#timer = setInterval(this.#refresh, Number(this.dataset.every))
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#refresh)
    clearInterval(this.#timer)
  }

  get bar() {
    return this.querySelector(".live-refresh")
  }

  get button() {
    return this.bar.querySelector("button")
  }

  #pause(paused) {
    this.button.ariaPressed = String(paused)
    this.#refresh()
  }

  #refresh = () => {
    if (!document.hidden && this.button.ariaPressed !== "true") this.#fetch()
  }

  async #fetch() {
    if (this.#isFetching) return
    this.#isFetching = true
    try {
      const response = await fetch(location.href, { headers: { "X-Part": "live" }, redirect: "manual" })
      if (response.ok) this.#update(await response.text())
      else this.#setStatus(response.status < 500 ? this.dataset.ended : this.dataset.stale)
    } catch {
      this.#setStatus(this.dataset.stale)
    } finally {
      this.#isFetching = false
    }
  }

  #update(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live")
    if (!fresh || this.button.ariaPressed === "true") return
    const focused = document.activeElement.closest("#live .live-scroll")
    morph(document.getElementById("live"), fresh)
    // If the focused row is gone, keep the keyboard position at its table.
    if (focused?.isConnected && document.activeElement === document.body) focused.focus()
    this.#setStatus("")
  }

  #setStatus(text) {
    const status = this.bar.querySelector("[role=status]")
    if (status.textContent !== text) status.textContent = text
  }
}

/** Changes `shown` to equal `fresh`. Children are matched by id, or by position if they have none. */
function morph(shown, fresh) {
  if (shown.isEqualNode(fresh)) return
  copyAttributes(shown, fresh)
  if (shown.childElementCount === 0 || fresh.childElementCount === 0) {
    shown.replaceChildren(...fresh.childNodes)
    return
  }
  const wanted = [...fresh.children]
  for (const child of [...shown.children]) {
    if (child.id && !wanted.some((each) => each.id === child.id)) child.remove()
  }
  wanted.forEach((child, index) => {
    const place = shown.children[index]
    const same = child.id ? [...shown.children].find((each) => each.id === child.id) : place
    if (!same || same.id !== child.id || same.tagName !== child.tagName)
      shown.insertBefore(child, place ?? null)
    else {
      if (same !== place) shown.insertBefore(same, place)
      morph(same, child)
    }
  })
  while (shown.childElementCount > wanted.length) shown.lastElementChild.remove()
}

function copyAttributes(shown, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (shown.getAttribute(name) !== value) shown.setAttribute(name, value)
  }
}

customElements.define("live-connections", LiveConnections)
