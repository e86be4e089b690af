// Receives webhooks of Phytobatch: checks each signature and prints each event once.
//
//     WEBHOOK_SECRET=whsec_... node webhook_receiver.mjs PORT
//
// Needs Node 20 or newer and no package. The package `standardwebhooks` makes the same check.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const TOLERANCE_SECONDS = 300;
const MAX_BODY_BYTES = 256 * 1024;

class Refused extends Error {}

// The event in `body` (a Buffer: the bytes as they came), if one of the signatures fits; throws Refused otherwise.
export function verify(secret, headers, body) {
  const [id, timestamp, signatures] = ["id", "timestamp", "signature"].map((name) => headers[`webhook-${name}`] ?? "");
  const age = /^\d+$/.test(timestamp) ? Math.abs(Date.now() / 1000 - Number(timestamp)) : Infinity;
  if (age > TOLERANCE_SECONDS) throw new Refused("webhook-timestamp is missing, or too far from this machine's clock");
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  if (key.length === 0) throw new Refused("the secret of this receiver is none"); // would believe everybody
  const expected = Buffer.from("v1," + createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64"));
  // Several signatures come while a secret is being changed.
  const fits = signatures.split(" ").map((text) => Buffer.from(text))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
  if (!fits) throw new Refused("no signature fits");
  return JSON.parse(body.toString("utf8"));
}

const secret = process.env.WEBHOOK_SECRET;
const seen = new Set(); // yours: a unique column, written in the transaction that does the work

async function bytes(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_BODY_BYTES) throw new Refused("the body is too large");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function receive(request, response) {
  try {
    const event = verify(secret, request.headers, await bytes(request));
    const id = request.headers["webhook-id"];
    if (!seen.has(id)) {
      console.log(event.type, event.data.job_id ?? "", event.data.state ?? "");
      seen.add(id);
    }
    response.writeHead(204).end();
  } catch (error) {
    console.error(error.message);
    response.writeHead(error instanceof Refused ? 400 : 500).end(); // after 500 it is sent again
  }
}

if (!secret) {
  console.error("set WEBHOOK_SECRET to the secret of the webhook (whsec_...)");
  process.exit(1);
}
// This machine alone, or all of the world for a sender elsewhere: WEBHOOK_BIND=0.0.0.0
createServer(receive).listen(Number(process.argv[2]), process.env.WEBHOOK_BIND ?? "127.0.0.1");
