// The page's own parts, and the hashes in its policy: `node policy.mjs -w` sets them after the page was changed.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const file = fileURLToPath(new URL('../verify.html', import.meta.url));
const BLOCKS = { core: 'script', page: 'script', style: 'style' };

export function block(html, id) {
  const tag = BLOCKS[id];
  const found = html.match(new RegExp(`<${tag} id="${id}">([\\s\\S]*?)</${tag}>`));
  if (!found) throw new Error(`verify.html has no <${tag} id="${id}">`);
  return found[1];
}

// The policy that the page's blocks need.
export function policy(html) {
  const hash = (id) => `'sha256-${createHash('sha256').update(block(html, id)).digest('base64')}'`;
  return `default-src 'none'; script-src ${hash('core')} ${hash('page')}; style-src ${hash('style')}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'`;
}

const META = /(<meta http-equiv="Content-Security-Policy" content=")([^"]*)(">)/;
export const policyOf = (html) => html.match(META)?.[2];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const html = readFileSync(file, 'utf8');
  const wanted = policy(html);
  if (process.argv[2] === '-w') {
    writeFileSync(file, html.replace(META, (_, before, __, after) => before + wanted + after));
  } else if (policyOf(html) !== wanted) {
    console.log('FAIL  verify.html was changed and the hashes in its policy were not: run ops/verifier/test -w');
    process.exitCode = 1;
  } else {
    console.log('  ok  verify.html, the hashes in its policy fit');
  }
}
