// Google's Firebase Auth emulator, as firebase-tools has it, without the command line around it.
//
//   node auth.js PORT PROJECT FOLDER
//
// `firebase emulators:start --only auth` starts the same server, but takes 13-16 s of processor time and two more ports
// (hub, logging). Almost all of that time compiles the validators of an OpenAPI document of which a platform uses a tenth;
// exegesis can do that on first use, an option that firebase-tools does not pass on. Ready in 2.5 s with it.
//
// The accounts are read from FOLDER at start and written there at SIGTERM, in the format of `emulators:export`.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const exegesis = require("exegesis-express");

const middleware = exegesis.middleware;
exegesis.middleware = (document, options) => middleware(document, { ...options, lazyCompileValidationSchemas: true });

const { AuthEmulator, SingleProjectMode } = require("firebase-tools/lib/emulator/auth");
const { createApp } = require("firebase-tools/lib/emulator/auth/server");

const HOST = "127.0.0.1";
const [port, project, folder] = process.argv.slice(2);
const owner = { headers: { Authorization: "Bearer owner" } };
const saved = {
  "accounts.json": `identitytoolkit.googleapis.com/v1/projects/${project}/accounts:batchGet?maxResults=-1`,
  "config.json": `emulator/v1/projects/${project}/config`,
};

async function start() {
  const app = await createApp(project, SingleProjectMode.NO_WARNING);
  if (fs.existsSync(path.join(folder, "accounts.json"))) {
    // On a port of its own, so that whoever finds the real one open finds the accounts too.
    const loading = await listening(app, 0);
    const emulator = new AuthEmulator({ host: HOST, port: loading.address().port, projectId: project });
    await emulator.importData(folder, project, { initiatedBy: "alta" });
    loading.close();
  }
  await listening(app, Number(port));
}

function listening(app, number) {
  const server = app.listen(number, HOST);
  return new Promise((resolve, reject) => server.once("listening", () => resolve(server)).once("error", reject));
}

async function stop() {
  for (const [name, address] of Object.entries(saved)) {
    const answer = await fetch(`http://${HOST}:${port}/${address}`, owner);
    fs.writeFileSync(path.join(folder, `${name}.new`), await answer.text());
  }
  // Both or neither: a half-written export would not be read again.
  Object.keys(saved).forEach((name) => fs.renameSync(path.join(folder, `${name}.new`), path.join(folder, name)));
  process.exit(0);
}

process.on("SIGTERM", () => stop().catch((error) => { console.error(error); process.exit(1); }));
start().catch((error) => { console.error(error); process.exit(1); });
