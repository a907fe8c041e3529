/** Bundles the integration specs that come with pusher-js, as its own webpack configuration says: `bundle.js FILE`. */

import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

import { build } from "esbuild"

const top = dirname(createRequire(import.meta.url).resolve("pusher-js/package.json"))
const specs = "spec/javascripts/integration/core"
const names = ["cluster_config_spec", "falling_back_spec", "pusher_spec/index"]
names.push("timeout_configuration_spec", "transport_lists_spec")

const folders = ["src", "src/runtimes", "src/runtimes/node", "spec/javascripts/helpers"]
const aliases = {
  pusher_integration: "core/pusher.js",
  integration: "node/integration",
  "dom/dependencies": "node/mock-dom-dependencies",
  "dom/dependency_loader": "node/mock-dom-dependencies",
}

await build({
  stdin: { contents: names.map(call).join("\n"), resolveDir: top },
  outfile: process.argv[2],
  bundle: true,
  platform: "node",
  logLevel: "warning",
  define: {
    VERSION: '"8.8.8"',
    RUNTIME: '"node"',
    CDN_HTTP: '""',
    CDN_HTTPS: '""',
    DEPENDENCY_SUFFIX: '""',
  },
  plugins: [{ name: "as-webpack-finds-them", setup }],
})

function call(name) {
  return `require("./${specs}/${name}")([{ transport: "ws", forceTLS: true }, { transport: "ws", forceTLS: false }])`
}

function setup(bundler) {
  bundler.onResolve({ filter: /^testenv$/ }, () => ({ path: "node", namespace: "testenv" }))
  bundler.onLoad({ filter: /.*/, namespace: "testenv" }, () => ({ contents: 'module.exports = "node"' }))
  bundler.onResolve({ filter: /^\w/ }, ({ path }) => ({ path: find(aliases[path] ?? path) }))
  // Of pusher.ts and pusher.js the first is meant; in node_modules esbuild takes the second.
  bundler.onResolve({ filter: /^\./ }, ({ path, resolveDir }) => ({ path: typed(join(resolveDir, path)) }))
}

function find(name) {
  const places = folders.flatMap((folder) =>
    ["", ".ts", ".js", "/index.ts"].map((end) => join(top, folder, name + end)),
  )
  return places.find((place) => /\.[jt]s$/.test(place) && existsSync(place))
}

function typed(path) {
  return existsSync(`${path}.ts`) ? `${path}.ts` : undefined
}
