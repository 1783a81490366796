// openid-client signs a person in through the provider at argv[2]; writes what it learned as one JSON object.
//   node login.mjs ISSUER CLIENT_ID CLIENT_SECRET REDIRECT_URI USERNAME PASSWORD     (from a folder with node_modules)
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'

const require = createRequire(pathToFileURL(join(process.cwd(), 'package.json')))
const client = await import(pathToFileURL(require.resolve('openid-client')))
const [issuer, clientId, clientSecret, redirectUri, username, password] = process.argv.slice(2)

// 1. Discovery.
const config = await client.discovery(
  new URL(issuer), clientId, undefined, client.ClientSecretBasic(clientSecret),
  { execute: [client.allowInsecureRequests] },
)

// 2. The request: PKCE, state, nonce, max_age.
const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const asked = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: 'openid profile identity',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  max_age: '3600',
  state,
  nonce,
})

// 3. The person at the browser: cookies, redirects, two plain forms.
const cookies = new Map()
async function go(url, options = {}) {
  const reply = await fetch(url, {
    ...options,
    redirect: 'manual',
    headers: { ...options.headers, cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
  })
  for (const line of reply.headers.getSetCookie()) {
    const [name, value] = line.split(';')[0].split('=')
    cookies.set(name, value)
  }
  const location = reply.headers.get('location')
  if (!location) return { url, page: await reply.text() }
  const next = new URL(location, url)
  return next.href.startsWith(redirectUri) ? { answer: next } : go(next)
}
function press(turn, values) {
  const csrf = /name="csrf" value="([^"]+)"/.exec(turn.page)[1]
  return go(turn.url, { method: 'POST', body: new URLSearchParams({ csrf, ...values }) })
}
let turn = await go(asked)
turn = await press(turn, { username, password, action: 'login' })
if (!turn.answer) turn = await press(turn, { action: 'allow' })

// 4. The code for tokens: openid-client checks iss, state, nonce, at_hash, signature, auth_time.
const tokens = await client.authorizationCodeGrant(config, turn.answer, {
  pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true, maxAge: 3600,
})
const claims = tokens.claims()
const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub)

// 5. A code used again is refused.
let replay = 'accepted'
try {
  await client.authorizationCodeGrant(config, turn.answer, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce,
  })
} catch (error) {
  replay = error.error
}
const logout = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token })
const out = await go(logout)
console.log(JSON.stringify({ claims, info, replay, scope: tokens.scope, out: out.page.includes('退出') }))
