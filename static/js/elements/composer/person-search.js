/** <person-search>: a text field with a datalist of the people whose name or address has the words typed so far. */

const WAIT_MS = 200
const MIN_LENGTH = 2

class PersonSearch extends HTMLElement {
  #timer
  #request

  connectedCallback() {
    this.addEventListener("input", ({ target }) => {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#search(target.value.trim()), WAIT_MS)
    })
  }

  async #search(text) {
    this.#request?.abort()
    if (text.length < MIN_LENGTH || text.includes("<")) return
    this.#request = new AbortController()
    const address = `/api/v1/customers/?${new URLSearchParams({ q: text })}`
    try {
      const response = await fetch(address, { signal: this.#request.signal })
      if (response.ok) this.#show(await response.json())
    } catch {
      // Offline, or typed further: what is typed is found when the form is sent.
    }
  }

  #show(people) {
    const options = people.map(({ name, email }) => new Option("", `${name} <${email}>`))
    this.querySelector("datalist").replaceChildren(...options)
  }
}

customElements.define("person-search", PersonSearch)
