// What a page of ours does with passkeys, in the words of the browser: WebAuthn level 3 and our REST routes.

async function call(method, path, token, body) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(`/api/auth/${path}`, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
}

async function register(token, name) {
  const options = await call("POST", "passkeys/register", token);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.body.publicKey);
  const credential = await navigator.credentials.create({ publicKey });
  return call("POST", "passkeys/register/verify", token, { credential: credential.toJSON(), name });
}

async function prove() {
  const options = await call("POST", "passkeys/login");
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.body.publicKey);
  return (await navigator.credentials.get({ publicKey })).toJSON();
}

async function signIn() {
  return call("POST", "passkeys/login/verify", null, { credential: await prove() });
}
