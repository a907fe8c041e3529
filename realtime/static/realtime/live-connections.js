/** <live-connections data-every>: renews the admin's page of live connections every so many milliseconds. */

/** What stays in place is not touched: the focus, what is open and how far one has scrolled stay with it. */
class LiveConnections extends HTMLElement {
  #timer = 0
  #isAsking = false

  connectedCallback() {
    this.renewal.hidden = false
    this.button.addEventListener("click", () => this.#pause(this.button.ariaPressed !== "true"))
    document.addEventListener("visibilitychange", this.#look)
    this.#timer = setInterval(this.#look, Number(this.dataset.every))
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#look)
    clearInterval(this.#timer)
  }

  get renewal() {
    return this.querySelector(".live-renewal")
  }

  get button() {
    return this.renewal.querySelector("button")
  }

  #pause(paused) {
    this.button.ariaPressed = String(paused)
    this.#look()
  }

  #look = () => {
    if (!document.hidden && this.button.ariaPressed !== "true") this.#renew()
  }

  async #renew() {
    if (this.#isAsking) return
    this.#isAsking = true
    try {
      const response = await fetch(location.href, { headers: { "X-Part": "live" }, redirect: "manual" })
      if (response.ok) this.#show(await response.text())
      else this.#say(response.status < 500 ? this.dataset.ended : this.dataset.stale)
    } catch {
      this.#say(this.dataset.stale)
    } finally {
      this.#isAsking = false
    }
  }

  #show(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live")
    if (!fresh || this.button.ariaPressed === "true") return
    const held = document.activeElement.closest("#live .live-scroll")
    morph(document.getElementById("live"), fresh)
    // The row that had the focus is gone: go on from its table.
    if (held?.isConnected && document.activeElement === document.body) held.focus()
    this.#say("")
  }

  #say(text) {
    const status = this.renewal.querySelector("[role=status]")
    if (status.textContent !== text) status.textContent = text
  }
}

/** Makes `shown` like `fresh`. Children with an id are known by it, others by their place. */
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
