/** Signing in, with a password or a passkey. */

import { button, h } from "./dom.js";

export function signInView(app, entered) {
  const input = (name, attributes) => h("input", { name, required: true, ...attributes });
  const problem = h("p.bad", { role: "alert" });
  const passkeys = globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON;

  async function signIn(event) {
    event.preventDefault();
    const { account, password } = Object.fromEntries(new FormData(form));
    await enter(() => app.api.login(account.trim(), password));
  }

  async function enter(signsIn) {
    problem.textContent = "";
    try {
      await signsIn();
    } catch (error) {
      problem.textContent = error.message;
      return;
    }
    await entered();
  }

  const form = h(
    "form.card.narrow",
    { onsubmit: signIn },
    h("h1", "Alta"),
    h("p.quiet", "Documents and recordings: collected, read, reviewed."),
    h("label", "User name or e-mail", input("account", { autocomplete: "username" })),
    h("label", "Password", input("password", { type: "password", autocomplete: "current-password" })),
    problem,
    h(
      "menu",
      passkeys && button("Use a passkey", () => enter(() => app.api.loginWithPasskey())),
      h("button.main", "Sign in"),
    ),
  );
  return form;
}
