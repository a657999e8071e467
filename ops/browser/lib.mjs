// The browser, people in it, and what is asked of every page they see.
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const base = (process.env.ONETRIP_BASE_URL ?? 'http://127.0.0.1:8080').replace(/\/$/, '');
const out = fileURLToPath(new URL('../out/', import.meta.url));
const signInsFile = process.env.ONETRIP_SIGN_INS;
const signIns = signInsFile ? JSON.parse(readFileSync(signInsFile, 'utf8')) : [];

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
const HAN = /[\u3400-\u9fff]/;
const LATIN_WORDS = /[A-Za-z]{3,}/g;
const LATIN_AT_HOME = new Set(['Onetrip', 'English', 'JPEG', 'PNG', 'WebP']);
// What the service itself says, leaving out what people wrote and names that have one language only.
const CHROME =
  'h1, h2, h3, label, legend, button, summary, dt, th, caption, option, .hint, .error, .lead, .pill, .mark, .tl-what, .tl-office, .now-status, .now-holder, .due-what, .ledger-what, nav a, .chip span, .fchip, .restated dd, .bar-name';
const PEOPLES = '.words, .row-words, .row-place, .value, .who, .typed, [data-own]';

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export function passwordOf(signIn) {
  const found = signIns.find((one) => one.sign_in === signIn);
  assert.ok(found, `${signIn} is not in the file that ONETRIP_SIGN_INS names`);
  return found.password;
}

// One way of looking at the service: language, width, with or without script.
export class Combo {
  constructor(browser, { lang, width, script }, community) {
    Object.assign(this, { browser, lang, width, script, community });
    this.name = `${lang} ${width}px script ${script ? 'on' : 'off'}`;
    this.passed = 0;
    this.failures = [];
    this.shots = 0;
    this.people = [];
    this.folder = `${out}${lang}-${width}${script ? '' : '-noscript'}/`;
    mkdirSync(this.folder, { recursive: true });
  }

  // A check that failed is told at the end; the journey goes on where it can.
  ok(truth, what) {
    if (truth) this.passed += 1;
    else this.failures.push(what);
  }

  equal(found, wanted, what) {
    this.ok(found === wanted, `${what}: found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
  }

  has(text, part, what) {
    this.ok(text.includes(part), `${what}: ${JSON.stringify(part)} is not in ${JSON.stringify(text.slice(0, 300))}`);
  }

  t(zh, en) {
    return this.lang === 'en' ? en : zh;
  }

  // Somebody with a browser of their own.
  async person(name) {
    const context = await this.browser.newContext({
      baseURL: base,
      locale: this.lang === 'en' ? 'en-GB' : 'zh-CN',
      javaScriptEnabled: this.script,
      viewport: { width: this.width, height: this.width < 600 ? 844 : 900 },
      hasTouch: this.width < 600,
      isMobile: this.width < 600,
    });
    context.setDefaultTimeout(15_000);
    const host = new URL(base).host;
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (['data:', 'blob:'].includes(url.protocol)) return;
      this.ok(url.host === host, `${name}: a request left for ${url.host}`);
    });
    // The browser's own line about a page that came with an error status is none of ours.
    const refusedPages = new Set();
    context.on('response', (response) => {
      if (response.status() >= 400 && response.request().isNavigationRequest()) refusedPages.add(response.url());
    });
    context.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return;
      if (refusedPages.has(message.location().url) && message.text().startsWith('Failed to load resource')) return;
      this.failures.push(`${name}: the console says ${message.text()} at ${message.location().url}`);
    });
    context.on('weberror', (error) => this.failures.push(`${name}: the script failed: ${error.error()}`));
    const person = new Person(this, name, context, await context.newPage());
    this.people.push(person);
    return person;
  }

  // What everybody had before them when the journey broke off.
  async lastSight() {
    for (const person of this.people) {
      await person.page.screenshot({ path: `${this.folder}broken-off-${person.name}.png` }).catch(() => {});
    }
  }

  async leave() {
    for (const person of this.people) await person.context.close();
  }
}

export class Person {
  constructor(combo, name, context, page) {
    Object.assign(this, { combo, name, context, page });
  }

  // Another tab of the same browser.
  async tab() {
    return new Person(this.combo, this.name, this.context, await this.context.newPage());
  }

  at(selector, options) {
    return this.page.locator(selector, options);
  }

  path() {
    return new URL(this.page.url()).pathname;
  }

  // Opens an address and says what status it came with.
  async go(address) {
    const response = await this.page.goto(address);
    return response.status();
  }

  // Does something that leads to another page and waits until that is there.
  async lead(act, to) {
    const arrived = this.page.waitForEvent('domcontentloaded');
    await act();
    await arrived;
    if (to) this.combo.ok(to.test(this.path()), `expected to be led to ${to}, but is at ${this.path()}`);
  }

  press(selector, to) {
    return this.lead(() => this.at(selector).click(), to);
  }

  text(selector = 'main') {
    return this.at(selector).first().innerText();
  }

  // Radio buttons and boxes hide behind their labels.
  async choose(name, value) {
    await this.at(`label:has(input[name="${name}"][value="${value}"])`).first().click();
  }

  // What is asked of every page: right language, no missing words, nothing wider than the screen, a picture, and no
  // barrier that axe can find.
  async look(name) {
    const { combo } = this;
    const where = `${name} (${this.path()})`;
    // Photos further down load when they are scrolled to; the picture of the page should have them.
    await this.page.evaluate(async () => {
      for (const image of document.images) {
        image.loading = 'eager';
        await image.decode().catch(() => {});
      }
    });
    const page = await this.page.evaluate(
      ({ chrome, peoples }) => {
        const own = (node) => node.closest(peoples) || (node.closest('[lang]') ?? document.documentElement) !== document.documentElement;
        const words = (node) => {
          const copy = node.cloneNode(true);
          for (const foreign of copy.querySelectorAll(`[lang], ${peoples}`)) foreign.remove();
          return copy.textContent.trim();
        };
        return {
          lang: document.documentElement.lang,
          title: document.title,
          all: document.documentElement.outerHTML,
          chrome: [...document.querySelectorAll(chrome)].filter((node) => !own(node)).map(words),
          spill: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          headings: document.querySelectorAll('h1').length,
          names: [...document.querySelectorAll('[id]')].map((node) => node.id),
        };
      },
      { chrome: CHROME, peoples: PEOPLES },
    );
    combo.equal(page.lang, combo.lang, `${where}: language of the page`);
    combo.ok(!page.all.includes('⟦'), `${where}: words are missing: ${page.all.match(/⟦[^⟧]*⟧?/)?.[0]}`);
    combo.ok(page.spill <= 0, `${where}: ${page.spill} px wider than the screen`);
    combo.equal(page.headings, 1, `${where}: number of main headings`);
    combo.equal(new Set(page.names).size, page.names.length, `${where}: ids are unique`);
    combo.ok(page.title.length > 4, `${where}: title`);
    const strange = page.chrome.filter((words) =>
      combo.lang === 'en' ? HAN.test(words) : (words.match(LATIN_WORDS) ?? []).some((word) => !LATIN_AT_HOME.has(word)),
    );
    combo.equal(strange.join(' | '), '', `${where}: words in the other language`);
    combo.shots += 1;
    const file = `${combo.folder}${String(combo.shots).padStart(2, '0')}-${name}.png`;
    await this.page.screenshot({ path: file, fullPage: true, animations: 'disabled' });
    if (combo.script) await this.axe(where);
  }

  async axe(where) {
    // There are no frames here, so axe need not open a page of its own to gather what it found in them.
    const axe = new AxeBuilder({ page: this.page }).setLegacyMode(true);
    const found = await axe.options({ runOnly: { type: 'tag', values: RULES }, resultTypes: ['violations'] }).analyze();
    const told = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`);
    this.combo.equal(told.join('; '), '', `${where}: barriers`);
  }

  // A form came back: said in the title, the summary in focus, each fault a link to its field.
  async cameBack(name, field) {
    const { combo, page } = this;
    const prefix = combo.t('有误', 'Error');
    combo.ok((await page.title()).startsWith(prefix), `${name}: the title says that something is wrong`);
    combo.equal(await this.at('#errors').count(), 1, `${name}: there is a summary`);
    if (combo.script) {
      combo.equal(await page.evaluate(() => document.activeElement?.id), 'errors', `${name}: the summary has the focus`);
    }
    const link = this.at(`#errors a[href="#${field}"]`).first();
    combo.equal(await this.at(`#errors a[href="#${field}"]`).count(), 1, `${name}: a link leads to ${field}`);
    await link.click();
    const there = await page.evaluate((id) => {
      const target = document.getElementById(id);
      return target !== null && (target === document.activeElement || target.contains(document.activeElement));
    }, field);
    combo.ok(there, `${name}: the link leads into the field ${field}`);
  }
}
