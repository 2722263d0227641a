/** Signing in, with a password or a passkey. */

import { button, h } from "./dom.js";

export function signInView(app, entered) {
  const input = (name, attributes) => h("input", { name, required: true, ...attributes });
  const problem = h("p.bad", { role: "alert" });
  const state = h("p.quiet", { role: "status" });
  const passkeys = globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON;

  async function signIn(event) {
    event.preventDefault();
    const { account, password } = Object.fromEntries(new FormData(form));
    await enter(() => app.api.login(account.trim(), password));
  }

  /** The form is disabled meanwhile: each Enter would ask once more. */
  async function enter(signsIn) {
    const { activeElement } = document;
    problem.textContent = "";
    state.textContent = "Connecting …";
    fields.disabled = true;
    try {
      await signsIn();
      await entered();
    } catch (error) {
      problem.textContent = error.message;
    } finally {
      state.textContent = "";
      fields.disabled = false;
      activeElement.focus();
    }
  }

  const fields = h(
    "fieldset",
    h("h1", "Alta"),
    h("p.quiet", "Documents and recordings: collected, read, reviewed."),
    h("label", "User name or e-mail", input("account", { autocomplete: "username" })),
    h("label", "Password", input("password", { type: "password", autocomplete: "current-password" })),
    problem,
    state,
    h(
      "menu",
      passkeys && button("Use a passkey", () => enter(() => app.api.loginWithPasskey())),
      h("button.main", "Sign in"),
    ),
  );
  const form = h("form.card.narrow", { onsubmit: signIn }, fields);
  return form;
}
