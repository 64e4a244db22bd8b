// Builds the studio into a folder: `node build.mjs [--out FOLDER] [--watch]`, or its tests: `node build.mjs --tests`.
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build, context } from "esbuild";

const { values } = parseArgs({
  options: { out: { type: "string" }, watch: { type: "boolean" }, tests: { type: "boolean" } },
});

const shared = { bundle: true, format: "esm", target: "es2022", logLevel: "warning", charset: "utf8" };

if (values.tests) {
  rmSync(".tests", { recursive: true, force: true });
  const entryPoints = readdirSync("test").filter((name) => name.endsWith(".test.ts")).map((name) => join("test", name));
  await build({
    ...shared, entryPoints, outdir: ".tests", platform: "node", packages: "external", sourcemap: "inline",
    outExtension: { ".js": ".mjs" },
  });
} else {
  const out = values.out ?? "../src/inlay/server/static";
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  cpSync("public", out, { recursive: true });
  const options = {
    ...shared, entryPoints: { studio: "src/main.tsx", offline: "src/offline.ts" }, outdir: out, minify: !values.watch, sourcemap: values.watch ? "inline" : false,
    jsx: "automatic", jsxImportSource: "preact", legalComments: "linked",
  };
  if (values.watch) await (await context(options)).watch();
  else await build(options);
}
