// Calls of every kind through the types that openapi-typescript makes: `node calls.ts URL KEY`, prints what came back.
import type { components, paths } from "./schema.ts";

type Schemas = components["schemas"];
type Method = "get" | "post" | "put" | "delete";
type PathsWith<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never }[keyof paths];
type Answers<P extends keyof paths, M extends Method> = paths[P] extends Record<M, { responses: infer R }> ? R : never;
type Json<R> = { [S in keyof R]: R[S] extends { content: { "application/json": infer Body } } ? Body : never }[keyof R];

const [url, key] = process.argv.slice(2);
if (url === undefined || key === undefined) throw new Error("node calls.ts URL KEY");

async function call<M extends Method, P extends PathsWith<M>>(
  method: M,
  path: P,
  values: Record<string, string> = {},
  request: RequestInit = {},
): Promise<Json<Answers<P, M>>> {
  const address = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ""));
  const answer = await fetch(url + address, {
    ...request,
    method: method.toUpperCase(),
    headers: { "X-API-Key": key ?? "", ...(typeof request.body === "string" ? { "Content-Type": "application/json" } : {}) },
  });
  if (!answer.ok) {
    const problem = (await answer.json()) as Schemas["Problem"];
    throw new Error(`${problem.status} ${problem.type}: ${problem.detail}`);
  }
  return (await answer.json()) as Json<Answers<P, M>>;
}

const wanted: Schemas["CreateJob"] = { name: "North field", metadata: { crop: "pumpkin" }, priority: "bulk", keep_days: 30 };
const job = await call("post", "/v1/jobs", {}, { body: JSON.stringify(wanted) });

const bytes = new Uint8Array([0xff, 0xd8, 0xff, 0xd9]);
const page: Schemas["AddImages"] = { images: [{ name: "row 7/a.jpg", size: bytes.length, latitude: 41.65, longitude: 0.62 }] };
const added = await call("post", "/v1/jobs/{job_id}/images", { job_id: job.id }, { body: JSON.stringify(page) });
for (const image of added.images) {
  const { "content-length": _, ...headers } = image.upload.headers; // fetch writes it by itself
  const stored = await fetch(image.upload.url, { method: image.upload.method, headers, body: bytes });
  if (!stored.ok) throw new Error(`${stored.status} from the object store`);
}
const committed = await call("post", "/v1/jobs/{job_id}/commit", { job_id: job.id });

const form = new FormData();
form.append("files", new Blob([bytes], { type: "image/jpeg" }), "b.jpg");
form.append("keep_originals_days", "7");
const uploaded = await call("post", "/v1/jobs/upload", {}, { body: form });

const { classifiers } = await call("get", "/v1/classifiers");
const { jobs } = await call("get", "/v1/jobs");
console.log(
  JSON.stringify({
    classifiers: classifiers.map((one) => `${one.name}@${one.version}`),
    counts: [committed.counts.total, uploaded.counts.total],
    keep: [job.keep_days, uploaded.keep_originals_days],
    jobs: jobs.length,
  }),
);
