// Runs the journey in every combination of language, width and script, and says how it went.
import { Combo, launch } from './lib.mjs';
import { journey } from './journey.mjs';
import { law } from './law.mjs';
import { photo } from './photo.mjs';

const combos = [390, 1280].flatMap((width) =>
  [true, false].flatMap((script) => ['zh-CN', 'en'].map((lang) => ({ lang, width, script }))),
);
// Each language, width and way of script twice: enough for pages that few people ever see.
const LAW = [0, 3, 5, 6];
// Communities of the same contact cadre. Each combination that runs has one to itself, so that it can count there.
const COMMUNITIES = ['440304008003', '440304008012'];
const only = process.argv[2] ?? '';
const waiting = combos.map((which, n) => ({ which, n }));
let [passed, failed] = [0, 0];

async function runOne(browser, { which, n }, community, photos) {
  const combo = new Combo(browser, which, community);
  if (!combo.name.includes(only)) return;
  const started = Date.now();
  try {
    await journey(combo, n, photos);
    if (LAW.includes(n)) await law(combo, n);
  } catch (error) {
    combo.failures.push(`the journey broke off: ${error.stack}`);
    await combo.lastSight();
  }
  await combo.leave();
  passed += combo.passed;
  failed += combo.failures.length;
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  const state = combo.failures.length ? 'FAIL' : ' ok ';
  console.log(`${state} ${combo.name}: ${combo.passed} checks, ${combo.shots} pages, ${seconds} s`);
  for (const failure of combo.failures) console.log(`     ${failure}`);
}

const browser = await launch();
try {
  const photos = { before: await photo(browser, false), after: await photo(browser, true) };
  const work = async (community) => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await runOne(browser, next, community, photos);
  };
  await Promise.all(COMMUNITIES.map(work));
} finally {
  await browser.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed || !passed ? 1 : 0;
