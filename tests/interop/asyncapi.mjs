// Checks docs/asyncapi.yaml with the AsyncAPI project's own parser. Run by `make asyncapi`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [file, modules] = process.argv.slice(2);
const { Parser } = createRequire(`${modules}/`)("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
const faults = diagnostics.filter((one) => one.severity <= 1);
for (const one of faults.slice(0, 20)) {
  console.error(`${one.severity === 0 ? "error" : "warning"} ${one.path.join("/")}: ${one.message}`);
}
if (!document || faults.some((one) => one.severity === 0)) {
  console.error(`${file} is not a valid AsyncAPI document.`);
  process.exit(1);
}
const count = document.channels().all().length;
console.log(`${file} is valid AsyncAPI ${document.version()} with ${count} channels; warnings: ${faults.length}.`);
