// A real, certified OpenID provider (oidc-provider) with people and a page of its own to sign in on.
// Arguments: port, JSON of {client, redirect, people}. Prints "ready" once it answers.
// A test changes what it does by POST /test/… : its people, its keys, what it says of a sign-in.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../pwa/package.json', import.meta.url));
const { Provider } = await import(require.resolve('oidc-provider'));

const [port, given] = process.argv.slice(2);
const { client, redirect, people } = JSON.parse(given);
const issuer = `http://127.0.0.1:${port}`;
// Its clock is the test's.
const real = Date.now;
let ahead = 0;
Date.now = () => real() + ahead;
const world = { people, login: {} };

function aKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
}

function aProvider() {
  const provider = new Provider(issuer, {
    clients: [
      { client_id: client.id, client_secret: client.secret, redirect_uris: [redirect] },
      { client_id: 'another', client_secret: 'x'.repeat(40), redirect_uris: [redirect] },
    ],
    jwks: { keys: [aKey()] },
    cookies: { keys: [randomUUID()] },
    acrValues: ['two-steps'],
    claims: { openid: ['sub', 'amr'], email: ['email', 'email_verified'], acr: null, auth_time: null },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, { uid }) => `/sign-in/${uid}` },
    findAccount: (_ctx, id) => {
      const claims = world.people[id];
      return claims && { accountId: id, claims: async () => ({ sub: id, ...claims }) };
    },
    // Its own organisation's: nobody is asked whether they agree.
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client.clientId,
        accountId: oidc.session.accountId,
      });
      grant.addOIDCScope('openid email');
      await grant.save();
      return grant;
    },
  });
  return provider;
}

let provider = aProvider();
let answers = provider.callback();

const PAGE = `<!doctype html><html lang="sv"><title>Kommunens inloggning</title>
<h1>Kommunens inloggning</h1><form method="post"><label>Namn <input name="who"></label>
<button>Logga in</button></form></html>`;

async function read(request) {
  let text = '';
  for await (const part of request) text += part;
  return text;
}

createServer(async (request, response) => {
  const { pathname } = new URL(request.url, issuer);
  if (pathname === '/test/people') {
    world.people = JSON.parse(await read(request));
    response.end();
  } else if (pathname === '/test/login') {
    world.login = JSON.parse(await read(request));
    response.end();
  } else if (pathname === '/test/clock') {
    ahead = JSON.parse(await read(request)) - real();
    response.end();
  } else if (pathname === '/test/rotate') {
    provider = aProvider();
    answers = provider.callback();
    response.end();
  } else if (pathname.startsWith('/sign-in/')) {
    if (request.method === 'POST') {
      const accountId = new URLSearchParams(await read(request)).get('who');
      const result = world.people[accountId]
        ? { login: { accountId, ...world.login } }
        : { error: 'access_denied', error_description: 'Nobody is called <b>that</b>.' };
      await provider.interactionFinished(request, response, result);
    } else {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(PAGE);
    }
  } else answers(request, response);
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
