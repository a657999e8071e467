// verify.html as people use it, in Chromium from file://, without network: `node page.mjs cases.jsonl`.
// Both languages, phone and desk; good, spoiled and unsealed receipts; with and without the browser's cryptography.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { block, file } from './policy.mjs';
import { launch } from '../../browser/lib.mjs';

const { AxeBuilder } = createRequire(new URL('../../browser/package.json', import.meta.url))('@axe-core/playwright');
const out = fileURLToPath(new URL('../../out/verifier/', import.meta.url));
mkdirSync(out, { recursive: true });
const address = pathToFileURL(file).href;
const html = readFileSync(file, 'utf8');
const vectors = JSON.parse(readFileSync(new URL('../../docs/evidence/vectors.json', import.meta.url), 'utf8'));
const cases = readFileSync(process.argv[2], 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const key = vectors.signing.verifier_key;
const [good, second] = vectors.receipts.good;
const [unsealed] = vectors.receipts.not_sealed;
const changed = { ...good, event: { ...good.event, payload: good.event.payload.replace('street_lights', 'street_trees_') } };
const HAN = /[\u3400-\u9fff]/;

let [passed, failed] = [0, 0];
function ok(truth, what) {
  if (truth) {
    passed += 1;
  } else {
    failed += 1;
    console.log(`FAIL  the page, ${what}`);
  }
}

// A page from file:// that must not ask for anything, nor complain.
async function open(browser, { lang = 'zh-CN', width = 390, script = true, before } = {}) {
  const context = await browser.newContext({
    locale: lang === 'en' ? 'en-GB' : lang, viewport: { width, height: width < 600 ? 844 : 900 }, hasTouch: width < 600, isMobile: width < 600,
    offline: true, javaScriptEnabled: script, colorScheme: lang === 'en' && width > 600 ? 'dark' : 'light',
  });
  context.setDefaultTimeout(10_000);
  const where = `${lang} ${width}`;
  context.on('request', (request) => ok(request.url() === address, `${where}: asked for ${request.url()}`));
  context.on('console', (message) => ok(false, `${where}: the console says ${message.text()}`));
  context.on('weberror', (error) => ok(false, `${where}: the script failed: ${error.error()}`));
  const page = await context.newPage();
  if (before) await page.addInitScript(before);
  await page.goto(address);
  return page;
}

async function check(page, receipt, withKey = key) {
  await page.locator('#receipt').fill(typeof receipt === 'string' ? receipt : JSON.stringify(receipt));
  await page.locator('#key').fill(withKey);
  await page.locator('#check').click();
  await page.locator('#result:not([hidden])').waitFor();
  return page.locator('#result').innerText();
}

const states = (page) => page.locator('#steps li').evaluateAll((items) => items.map((item) => item.className).join(' '));

async function look(page, name, { lang, width }) {
  const where = `${lang} ${width}, ${name}`;
  const seen = await page.evaluate(() => ({
    lang: document.documentElement.lang,
    spill: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    small: [...document.querySelectorAll('p, h1, h2, label, li, button, summary, .pick span')]
      .filter((node) => node.offsetParent && node.textContent.trim())
      .filter((node) => parseFloat(getComputedStyle(node).fontSize) < 24 || parseFloat(getComputedStyle(node).lineHeight) < 1.3 * parseFloat(getComputedStyle(node).fontSize))
      .map((node) => node.textContent.slice(0, 30)),
    low: [...document.querySelectorAll('button, .pick span, summary')]
      .filter((node) => node.offsetParent && node.getBoundingClientRect().height < 60).map((node) => node.textContent),
    empty: [...document.querySelectorAll('[data-t]')].filter((node) => !node.textContent || node.textContent === 'undefined').map((node) => node.dataset.t),
  }));
  ok(seen.lang === lang, `${where}: language is ${seen.lang}`);
  ok(seen.spill <= 0, `${where}: ${seen.spill} px wider than the screen`);
  ok(!seen.small.length, `${where}: smaller than 18 points, or lines too close: ${seen.small}`);
  ok(!seen.low.length, `${where}: lower than 60 px: ${seen.low}`);
  ok(!seen.empty.length, `${where}: no words for ${seen.empty}`);
  const axe = await new AxeBuilder({ page }).analyze();
  ok(!axe.violations.length, `${where}: ${axe.violations.map((one) => `${one.id} at ${one.nodes[0].target}`)}`);
  await page.screenshot({ path: `${out}${lang}-${width}-${name}.png`, fullPage: true });
  await page.screenshot({ path: `${out}${lang}-${width}-${name}-sight.png` });
}

async function inEveryLook(browser, lang, width) {
  const combo = { lang, width };
  const t = (zh, en) => (lang === 'en' ? en : zh);
  const page = await open(browser, combo);
  const has = (text, part, what) => ok(text.includes(part), `${lang} ${width}, ${what}: ${JSON.stringify(part)} is not in ${JSON.stringify(text)}`);
  ok(await page.locator('#old').isHidden(), `${lang} ${width}: the note for old browsers shows`);
  ok(await page.locator('#all').isVisible(), `${lang} ${width}: the form does not show`);

  // Nothing given: each field says so, and the first is gone to.
  await page.locator('#check').click();
  has(await page.locator('#receipt-error').innerText(), t('请先选择', 'Choose the receipt'), 'nothing given');
  has(await page.locator('#key-error').innerText(), t('请填写公钥', 'Enter the public key'), 'nothing given');
  ok((await page.evaluate(() => document.activeElement.id)) === 'receipt', `${lang}: the first field that lacks something has the focus`);
  await look(page, 'empty', combo);

  // Files, as they are downloaded.
  await page.locator('#receipt-file').setInputFiles({ name: 'receipt-26000017.json', mimeType: 'application/json', buffer: Buffer.from(`\ufeff${JSON.stringify(good)}`) });
  await page.locator('#key-file').setInputFiles({ name: 'key.txt', mimeType: 'text/plain', buffer: Buffer.from(`${key}\n`) });
  await page.locator('#check').click();
  await page.locator('#result.good').waitFor();
  let text = await page.locator('#result').innerText();
  for (const part of ['26000017', 'example.org/onetrip', '963c53a2', '22:03:05', '22:03:10', t('第 1 条', 'entry 1 of 3'), t('核对通过', 'The receipt holds')]) has(text, part, 'good');
  ok((await states(page)) === 'held held held held held held', `${lang}: all six steps hold`);
  ok((await page.evaluate(() => document.activeElement.id)) === 'verdict', `${lang}: the verdict has the focus`);
  await page.locator('#details summary').click();
  has(await page.locator('#facts').innerText(), good.leaf, 'technical details');
  await look(page, 'proved', combo);

  // The other language tells the same, without asking again.
  await page.locator('#language').click();
  text = await page.locator('#result').innerText();
  has(text, t('The receipt holds', '核对通过'), 'the other language');
  ok(HAN.test(text.replace(/路灯/g, '')) === (lang === 'en'), `${lang}: words of the wrong language: ${text}`);
  await page.locator('#language').click();

  // An answer does not stay beside another text.
  await page.locator('#receipt').fill('{');
  ok(await page.locator('#result').isHidden(), `${lang}: an old answer stays`);

  text = await check(page, changed);
  for (const part of [t('核对没有通过', 'does not hold'), t('内容被改过', 'The entry was changed')]) has(text, part, 'changed');
  ok((await states(page)) === 'held failed open open open open', `${lang}: the second step fails: ${await states(page)}`);
  ok((await page.locator('#verdict').boundingBox()).y < 200, `${lang} ${width}: the verdict is where the eye is`);
  await look(page, 'changed', combo);

  text = await check(page, unsealed);
  for (const part of [t('还没有封存', 'Not sealed yet'), '26000017', t('几分钟', 'few minutes')]) has(text, part, 'not sealed');
  ok((await states(page)) === 'held held held waits open open', `${lang}: the fourth step waits`);
  ok((await page.locator('#result').getAttribute('class')) === 'wait', `${lang}: not sealed is not shown as good`);
  await look(page, 'unsealed', combo);

  text = await check(page, { ...second, key: key.replace('onetrip+', 'onetrap+') });
  ok((await states(page)) === 'failed open open open open open', `${lang}: the first step fails`);
  text = await check(page, second);
  has(text, '01970000-0000-7000-8000-000000000001', 'an event that names no case number');
  const service = (name) => readFileSync(new URL(`service/${name}`, import.meta.url), 'utf8');
  text = await check(page, service('receipt.json'), service('key.txt'));
  for (const part of ['0290-6781-4273', t('2026年11月27日 07:23:58', '27 November 2026 at 07:23:58'), t('第 172 条', 'entry 172 of 226')]) has(text, part, 'the service’s own');
  await look(page, 'service', combo);
  text = await check(page, good, `${key.slice(0, 20)}\n ${key.slice(20)}`);
  has(text, t('核对通过', 'The receipt holds'), 'a key broken into lines');
  text = await check(page, good, key.replace('963c', '963d'));
  has(text, t('公钥不能用', 'can not be used'), 'a key with a wrong character');
  text = await check(page, JSON.stringify(good).slice(0, 500));
  has(text, t('文字不完整', 'incomplete'), 'a cut receipt');
  await look(page, 'cut', combo);
  await page.locator('#receipt-file').setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer: Buffer.from([0xff, 0xd8, 0xff, 0xe0]) });
  await page.locator('#receipt-error:not([hidden])').waitFor();
  has(await page.locator('#receipt-error').innerText(), t('不是文字文件', 'does not hold text'), 'a photo');

  // Words in a receipt stay words.
  const hostile = { ...unsealed, event: { ...unsealed.event, event_type: '<img src=x onerror=alert(1)>' } };
  await check(page, hostile);
  ok((await page.locator('#result img').count()) === 0, `${lang}: a receipt's text became markup`);
  await page.context().close();
}

// Every reason has words in both languages, and no word is left over.
async function words(browser) {
  const page = await open(browser);
  const { zh, en } = await page.evaluate(() => ({ zh: Object.keys(WORDS['zh-CN']), en: Object.keys(WORDS.en) }));
  ok(JSON.stringify(zh) === JSON.stringify(en), 'both languages have the same keys in the same order');
  for (const code of new Set(cases.map((one) => one.code))) {
    ok(['proved', 'not-sealed'].includes(code) || zh.includes(`why-${code}`), `no words for ${code}`);
  }
  const source = block(html, 'core') + block(html, 'page') + html.replace(/<script[\s\S]*?<\/script>/g, '');
  for (const name of zh) {
    const parts = [`'${name}'`, `"${name}"`, `say(${JSON.stringify(name)}`];
    const made = /^(why|step|fact|verdict)-/.test(name) || /^Case/.test(name);
    const uses = parts.reduce((sum, part) => sum + source.split(part).length - 1, 0);
    const keys = /[^a-zA-Z]/.test(name) ? 2 : 0;
    ok(made || uses > keys, `the words ${name} are used nowhere`);
    if (name.startsWith('why-')) ok(source.includes(`'${name.slice(4)}'`), `the reason ${name} is given nowhere`);
  }
  // The language of the browser decides at first; any Chinese is Chinese.
  for (const [locale, wanted] of [['zh-TW', 'zh-CN'], ['de-DE', 'en'], ['en-US', 'en']]) {
    const other = await open(browser, { lang: locale });
    ok((await other.locator('html').getAttribute('lang')) === wanted, `a browser in ${locale} gets ${wanted}`);
    await other.context().close();
  }
  await page.context().close();
}

// The page's own check over the cases of test_verify.py, inside the browser. Most are spoiled, none of those may pass.
async function many(browser) {
  for (const [name, before, step] of [['with', undefined, 2], ['without', () => Object.defineProperty(crypto, 'subtle', { value: undefined }), 9]]) {
    const page = await open(browser, { before });
    const chosen = cases.filter((_, n) => n % step === 0);
    const wrong = await page.evaluate(async (list) => {
      const found = [];
      for (const { text, key, step, code, why } of list) {
        const verdict = await checkReceipt(text.replace(/^\ufeff/, ''), key);
        const accepted = verdict.state === 'proved';
        if (verdict.code !== code || accepted !== (code === 'proved') || (!accepted && verdict.step !== step)) found.push(`${why}: ${verdict.code}, not ${code}`);
      }
      return found;
    }, chosen);
    for (const one of wrong.slice(0, 5)) ok(false, `${name} the browser's cryptography: ${one}`);
    passed += chosen.length - wrong.length;
    failed += Math.max(0, wrong.length - 5);
    ok(/Good/i.test((await check(page, good)) && (await page.locator('#result').getAttribute('class'))), `${name} the browser's cryptography, a good receipt passes`);
    await page.context().close();
  }
}

// Without scripts, and where the core can not run, the page says so in both languages.
async function tooOld(browser) {
  const without = await open(browser, { script: false });
  ok((await without.locator('#old').innerText()).includes('too old'), 'without scripts the page says what to do');
  ok(await without.locator('#all').isHidden(), 'without scripts there is no form that does nothing');
  await without.screenshot({ path: `${out}zh-CN-390-old.png` });
  await without.context().close();
  // The policy lets nothing else run: a script with another text is refused, and nothing can be fetched.
  const page = await open(browser);
  page.context().removeAllListeners('console');
  page.context().removeAllListeners('request');
  const ran = await page.evaluate(async () => {
    const said = [];
    document.addEventListener('securitypolicyviolation', (event) => said.push(event.effectiveDirective));
    const script = document.createElement('script');
    try {
      script.text = 'window.ran = true';
      document.body.append(script);
    } catch {
      said.push('trusted types');
    }
    await fetch('https://example.org/').catch(() => said.push('fetch'));
    const image = new Image();
    await new Promise((resolve) => {
      image.onerror = resolve;
      image.src = 'https://example.org/x.png';
    });
    return { ran: window.ran === true, said };
  });
  ok(!ran.ran && ran.said.includes('connect-src') && ran.said.includes('img-src'), `the policy holds: ${JSON.stringify(ran)}`);
  await page.context().close();
  ok(!/\b(fetch|XMLHttpRequest|WebSocket|sendBeacon|EventSource|innerHTML|eval|import)\b\s*\(/.test(html), 'nothing in the page could ask a network');
  ok(!/\bhttps?:\/\//.test(html), 'the page names no address');
}

const started = Date.now();
const browser = await launch();
try {
  const waiting = [
    () => many(browser), () => words(browser), () => tooOld(browser),
    ...[['zh-CN', 390], ['en', 390], ['zh-CN', 1280], ['en', 1280]].map(([lang, width]) => () => inEveryLook(browser, lang, width)),
  ];
  const work = async () => {
    for (let run = waiting.shift(); run; run = waiting.shift()) {
      await run().catch((error) => ok(false, `it broke off: ${error.stack}`));
    }
  };
  await Promise.all([work(), work()]);
} finally {
  await browser.close();
}
assert.ok(passed > 0);
console.log(`${failed ? 'FAIL' : '  ok'}  verify.html in Chromium: ${passed} passed, ${failed} failed (${((Date.now() - started) / 1000).toFixed(1)} s)`);
process.exitCode = failed ? 1 : 0;
